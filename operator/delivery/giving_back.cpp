#include "delivery/giving_back.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/codec.h"
#include "base/json.h"
#include "base/sim_point.h"
#include "delivery/course_moves.h"
#include "delivery/release_plan.h"
#include "delivery/release_status.h"
#include "kube/kinds.h"

namespace weir {
namespace {

constexpr milliseconds kPatience{2'000};  // what we give away leaves our watches: nobody wakes us

Json without(std::initializer_list<std::string_view> names) {
  Json map = Json::object();
  for (const auto name : names) map[std::string(name)] = nullptr;
  return map;
}

std::string text_of(const std::map<std::string, std::string, std::less<>>& marks,
                    std::string_view name) {
  const auto found = marks.find(name);
  return found == marks.end() ? "" : found->second;
}

// What the mark of an adopted Deployment says: how it was, and, once it is being given back, which revision it gets. It
// is the witness of that when nothing else carries our labels any more.
struct AdoptedMark {
  std::string how;
  std::string revision;
};

AdoptedMark mark_of(const ReleaseSnapshot& snapshot) {
  if (!snapshot.deployment) return {};
  const auto text = text_of(snapshot.deployment->meta.labels, marks::kAdopted);
  const auto dash = std::min(text.find('-'), text.size());
  return {text.substr(0, dash), text.substr(std::min(dash + 1, text.size()))};
}

std::string serving_of(const ReleaseSnapshot& snapshot, const AdoptedMark& mark) {
  if (!mark.revision.empty()) return mark.revision;
  return snapshot.traffic.stable.empty() ? snapshot.first : snapshot.traffic.stable;
}

// One pass: the writes up to the next thing that must be observed.
class Giver {
 public:
  Giver(const ReleaseSnapshot& snapshot, WallTime now, const Error* refused)
      : s_(snapshot),
        release_(*snapshot.release),
        now_(now),
        refused_(refused),
        mark_(mark_of(snapshot)),
        serving_(serving_of(snapshot, mark_)) {}

  Plan plan() {
    if (others_run()) return settle();
    plan_.look_again_at(now_ + kPatience);
    give_service_back();
    if (!s_.deployment) return let_go();
    const auto& deployment = *s_.deployment;
    const auto& set = s_.revision(serving_).replica_set;
    if (set && !is_ready_for(deployment, *set)) return std::move(plan_);
    if (give_sets_back(deployment)) return std::move(plan_);
    // It counts pods: it has seen that they are its own.
    if (deployment.replicas > 0 && deployment.current == 0) {
      say(fmt::format("giving back: waiting for Deployment {} to count its pods",
                      deployment.meta.key.name));
      return std::move(plan_);
    }
    give_deployment_back(deployment);
    return let_go();
  }

 private:
  // ---- a release that is under way ends first ----

  bool others_run() const {
    const bool has_weight = s_.traffic.weight > 0 && s_.route;
    return has_weight ||
           std::any_of(s_.revisions.begin(), s_.revisions.end(), [&](const auto& item) {
             return item.first != serving_ && item.second.replica_set && item.second.has_pods();
           });
  }

  Course course_saying(std::string message) const {
    Course course;
    course.traffic = s_.traffic.stable.empty() ? s_.traffic : s_.traffic.resting_at(serving_);
    course.pods[serving_] = s_.revision(serving_).replicas();
    course.phase = Phase::Progressing;
    course.message = std::move(message);
    return course;
  }

  Plan settle() const {
    return plan_settling(
        s_,
        course_saying(fmt::format("giving back: the pods of others than {} go first", serving_)),
        now_, refused_);
  }

  void say(std::string message) {
    auto status = render_status(s_, course_saying(std::move(message)), now_, refused_);
    if (needs_write(release_.status, status, now_))
      plan_.actions.emplace_back(PatchStatus{kinds::kRelease, release_.meta.key, release_.meta.uid,
                                             encode_release_status(status)});
  }

  // ---- writes ----

  void give_service_back() {
    for (const auto& [name, service] : s_.callers) {
      const auto before = parse_json(text_of(service->meta.annotations, marks::kAdopted));
      if (!before || !before->is_object()) continue;
      Json selector = without({marks::kRelease, marks::kRevision});
      selector.update(*before);
      Json marked = Json::object();  // a router may have left its memo here
      for (const auto& [mark, text] : service->meta.annotations) marked[mark] = nullptr;
      const Json meta{{"labels", without({marks::kRelease, marks::kRole})},
                      {"annotations", std::move(marked)},
                      {"ownerReferences", nullptr}};
      patch(kinds::kService, service->meta,
            Json{{"metadata", meta}, {"spec", {{"selector", selector}}}});
    }
  }

  void patch(const Kind& kind, const ObjectMeta& meta, Json body) {
    plan_.actions.emplace_back(PatchObject{kind, meta.key, std::move(body), meta.uid});
  }

  // Whether it would leave the pods of this ReplicaSet as they are once it has it.
  bool is_ready_for(const DeploymentView& deployment, const ReplicaSetView& set) {
    if (deployment.replicas != set.replicas || !deployment.paused || mark_.revision != serving_) {
      const auto mark = fmt::format("{}-{}", mark_.how, serving_);
      patch(kinds::kDeployment, deployment.meta,
            Json{{"metadata", {{"labels", {{marks::kAdopted, mark}}}}},
                 {"spec", {{"replicas", set.replicas}, {"paused", true}}}});
      return false;
    }
    const bool counts_none = deployment.current == 0 || set.meta.owner_uid == deployment.meta.uid;
    if (deployment.observed && counts_none) return true;
    say(fmt::format("giving back: waiting for Deployment {} to be observed",
                    deployment.meta.key.name));
    return false;
  }

  // First the one that serves: a Deployment that has only old ones scales the newest of them.
  bool give_sets_back(const DeploymentView& deployment) {
    const auto before = plan_.actions.size();
    const auto& serving = s_.revision(serving_);
    if (serving.replica_set) give_set_back(deployment, serving_, *serving.replica_set);
    for (const auto& [revision, view] : s_.revisions)
      if (revision != serving_ && view.replica_set)
        give_set_back(deployment, revision, *view.replica_set);
    return plan_.actions.size() != before;
  }

  void give_set_back(const DeploymentView& deployment, const std::string& revision,
                     const ReplicaSetView& set) {
    const Json labels = without({marks::kRelease, marks::kRevision});
    // Equal to the Deployment's, it is its newest: without what Weir adds when it makes one.
    Json pod_template =
        revision == s_.wanted && s_.pod_template ? *s_.pod_template : Json::object();
    pod_template["metadata"]["labels"].update(labels);
    patch(kinds::kReplicaSet, set.meta,
          Json{{"metadata",
                {{"labels", labels},
                 {"annotations", without({marks::kPolicy})},
                 {"ownerReferences", Json::array({deployment_owner(deployment, true)})}}},
               {"spec", {{"template", std::move(pod_template)}}}});
  }

  // It runs on when it did and its template is what serves. Guarded: another template would be rolled out at once.
  void give_deployment_back(const DeploymentView& deployment) {
    const bool nothing_to_roll =
        mark_.revision.empty() || mark_.revision == s_.wanted || deployment.replicas == 0;
    const bool runs = mark_.how == marks::kRunning && nothing_to_roll;
    const Json meta{{"labels", without({marks::kRelease, marks::kAdopted})}};
    plan_.actions.emplace_back(PatchObject{kinds::kDeployment, deployment.meta.key,
                                           Json{{"metadata", meta}, {"spec", {{"paused", !runs}}}},
                                           deployment.meta.uid, deployment.meta.resource_version});
    const auto& name = deployment.meta.key.name;
    plan_.actions.emplace_back(RecordEvent{
        kinds::kRelease, release_.meta.key, release_.meta.uid, !runs, "GivenBack",
        runs ? fmt::format("Deployment {} has its pods back", name)
             : fmt::format("Deployment {} has its pods back and stays paused: it was, or its "
                           "template is not what they are made of",
                           name)});
    reached(SimPoint::GivenBack);
  }

  Plan let_go() {
    plan_.actions.emplace_back(ApplyMarks{kinds::kRelease, release_.meta.key, release_.meta.uid});
    return std::move(plan_);
  }

  const ReleaseSnapshot& s_;
  const Release& release_;
  const WallTime now_;
  const Error* refused_;
  const AdoptedMark mark_;
  const std::string serving_;
  Plan plan_;
};

}  // namespace

bool must_give_back(const ReleaseSnapshot& snapshot) {
  return snapshot.release->meta.annotations.contains(marks::kAdopts);
}

Plan give_back(const ReleaseSnapshot& snapshot, WallTime now, const Error* refused) {
  return Giver(snapshot, now, refused).plan();
}

}  // namespace weir
