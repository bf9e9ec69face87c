#include "delivery/release_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "api/codec.h"
#include "base/json.h"
#include "delivery/course_moves.h"
#include "delivery/release_questions.h"
#include "delivery/release_status.h"
#include "kube/kinds.h"

namespace weir {
namespace {

constexpr milliseconds kDefaultDrain{30'000};

// Collects the actions of one pass. Each method adds the writes of one concern.
class PlanBuilder {
 public:
  PlanBuilder(const ReleaseSnapshot& snapshot, const Course& course, WallTime now)
      : s_(snapshot), course_(course), release_(*snapshot.release), now_(now) {}

  Plan build(const Error* refused) {
    // Not behind the writes: while one of them fails the canary is still to be judged.
    add_questions(s_, course_, now_, plan_);
    if (refused) add_status(refused);
    if (course_.hands_off) {
      if (course_.traffic != s_.traffic) add_route();
    } else {
      add_moves();
    }
    if (!refused) add_status(nullptr);
    for (const auto& notice : course_.notices)
      plan_.actions.emplace_back(RecordEvent{kinds::kRelease, release_.meta.key, release_.meta.uid,
                                             notice.warning, notice.reason, notice.message});
    if (course_.look_again) plan_.look_again_at(*course_.look_again);
    return std::move(plan_);
  }

 private:
  // A fall of a weight comes before anything else and waits for nothing; a rise comes after all that it needs.
  void add_moves() {
    const bool rises = weight_rises();
    const bool first = s_.traffic.stable.empty();
    if (first) try_first();
    // The first route is not the only witness of who serves: we may die right after it, and somebody may delete it.
    if (first) add_callers_service();
    if (!rises) add_route();
    if (!first) add_callers_service();
    add_revision();
    add_scales(true);
    if (rises) add_route();
    add_scales(false);
    add_removals();
  }

  bool weight_rises() const {
    const auto goal = backends();
    return std::any_of(goal.begin(), goal.end(), [&](const Backend& backend) {
      return backend.revision == course_.traffic.canary &&
             backend.weight > weight_now(backend.revision);
    });
  }

  int weight_now(const std::string& revision) const {
    for (const auto& backend : s_.route_state.backends) {
      if (backend.revision == revision) return backend.weight;
    }
    return 0;
  }

  // Every revision with pods stands in the route from the moment its Service exists, at weight 0 unless it earned more.
  std::vector<Backend> backends() const {
    std::vector<Backend> result;
    const auto& traffic = course_.traffic;
    for (const auto& [revision, view] : s_.revisions) {
      const bool named = revision == traffic.stable || revision == traffic.canary;
      if (view.service && (named || view.has_pods()))
        result.push_back({revision, view.service->meta.key.name, traffic.weight_of(revision)});
    }
    return result;
  }

  void add_route() {
    RouteGoal goal{backends(), encode_traffic(course_.traffic)};
    int sum = 0;
    for (const auto& backend : goal.backends) sum += backend.weight;
    route_waits_ =
        sum != 100;  // nobody to serve yet, or the stable Service is being put back first
    if (route_waits_) return;
    const bool guarded = course_.returns || weight_rises();
    auto action = s_.router->plan(release_, goal, s_.route.get(), guarded);
    if (!action) return;  // the spec's fault; said by the status of the pass that tried the route
    if (!*action) return;
    plan_.actions.push_back(**action);
    mark_restored(!release_.status.weights.empty());
  }

  // The newest action: it puts back what status says was there.
  void mark_restored(bool was_there) {
    if (auto* create = std::get_if<CreateObject>(&plan_.actions.back()))
      create->restores = was_there;
  }

  // Status is written after the children it speaks of.
  bool stood_in_route(const std::string& revision) const {
    const auto& status = release_.status;
    return std::any_of(status.weights.begin(), status.weights.end(),
                       [&](const auto& weight) { return weight.revision == revision; });
  }

  // Before the first revision starts a pod: would the server take the route, and is the name of the callers' Service free?
  void try_first() {
    if (s_.revision(s_.wanted).replica_set) return;
    const RouteGoal goal{{{s_.wanted, child_name(release_, s_.wanted), 100}}, "{}"};
    auto route = s_.router->plan(release_, goal, nullptr, false);
    if (route && *route) plan_.actions.push_back(std::move(**route));
    create(kinds::kService, callers_service_body(release_, s_.spec(), s_.wanted));
    for (auto& action : plan_.actions) {
      if (auto* create = std::get_if<CreateObject>(&action)) create->dry_run = true;
    }
  }

  int pods_wanted(const std::string& revision) const {
    const auto found = course_.pods.find(revision);
    return found == course_.pods.end() ? 0 : found->second;
  }

  // The children of the spec's revision, and Services that somebody removed from those that serve.
  void add_revision() {
    const auto& spec = s_.spec();
    std::set<std::string> needed{course_.traffic.stable, course_.traffic.canary,
                                 course_.traffic.returning};
    if (course_.pods.count(s_.wanted) != 0) needed.insert(s_.wanted);
    for (const auto& revision : needed) {
      if (revision.empty()) continue;
      const auto& view = s_.revision(revision);
      if (!view.service) {
        create(kinds::kService, revision_service_body(release_, spec, revision));
        mark_restored(stood_in_route(revision));
      }
      if (revision != s_.wanted) continue;
      if (view.service)
        correct(kinds::kService, *view.service, revision_service_body(release_, spec, revision));
      if (view.replica_set || !s_.policy) continue;
      create(kinds::kReplicaSet,
             replica_set_body(release_, spec,
                              {revision, *s_.pod_template, pods_wanted(revision), *s_.policy}));
      mark_restored(stood_in_route(revision));
    }
  }

  void create(const Kind& kind, Json body) {
    const ObjectKey key{release_.meta.key.ns, json_text(body, {"metadata", "name"})};
    plan_.actions.emplace_back(CreateObject{kind, key, std::move(body), release_.meta.uid});
  }

  // Puts back what differs from how we want it; fields we do not name are left alone.
  void correct(const Kind& kind, const RawObject& actual, const Json& wanted) {
    const auto json = parse_json(actual.text);
    const Json& spec = json_at(wanted, {"spec"});
    if (json && json_covers(json_at(*json, {"spec"}), spec)) return;
    const Json body{{"metadata", {{"labels", actual.meta.labels}}}, {"spec", spec}};
    plan_.actions.emplace_back(
        PatchObject{kind, actual.meta.key, body, actual.meta.uid, "", actual.edited_by});
  }

  void add_scales(bool up) {
    for (const auto& [revision, view] : s_.revisions) {
      if (!view.replica_set) continue;
      const int wanted = pods_wanted(revision);
      const bool pins = up && course_.canary && revision == course_.canary->revision && s_.policy &&
                        pin_of(view) != s_.policy->text;
      if (up ? wanted > view.replicas() || pins : wanted < view.replicas() && may_shrink(revision))
        scale(view, std::max(wanted, up ? view.replicas() : 0), pins);
    }
  }

  static std::string pin_of(const RevisionView& view) {
    const auto found = view.replica_set->meta.annotations.find(marks::kPolicy);
    return found == view.replica_set->meta.annotations.end() ? "" : found->second;
  }

  void scale(const RevisionView& view, int replicas, bool pins) {
    const auto& labels = view.replica_set->meta.labels;
    Json body{{"metadata", {{"labels", labels}}}, {"spec", {{"replicas", replicas}}}};
    if (pins) {
      body["metadata"]["annotations"][std::string(marks::kPolicy)] = s_.policy->text;
      body["spec"]["minReadySeconds"] = s_.policy->spec.min_ready_seconds;
    }
    plan_.actions.emplace_back(PatchObject{kinds::kReplicaSet, view.replica_set->meta.key,
                                           std::move(body), view.replica_set->meta.uid, "",
                                           view.replica_set->edited_by});
  }

  // Pods go no earlier than `drain` after their weight 0 was accepted; who serves may shrink with the spec.
  bool may_shrink(const std::string& revision) {
    if (revision == course_.traffic.stable) return course_.traffic.canary.empty();
    if (revision == course_.traffic.canary) return false;
    for (const auto& idle : idle_revisions(s_, course_, now_)) {
      if (idle.revision != revision) continue;
      const auto until = idle.since + (s_.policy ? s_.policy->spec.drain : kDefaultDrain);
      if (now_ >= until) return true;
      plan_.look_again_at(until);
    }
    return false;
  }

  void add_callers_service() {
    const auto& traffic = course_.traffic;
    if (traffic.stable.empty()) return;  // its selector witnesses who serves: nobody yet
    const Json wanted = callers_service_body(release_, s_.spec(), traffic.stable);
    const auto found = s_.callers.find(s_.spec().service.name);
    if (found == s_.callers.end()) {
      create(kinds::kService, wanted);
      mark_restored(s_.callers.empty() && !release_.status.weights.empty());
    } else {
      correct(kinds::kService, *found->second, wanted);
    }
    for (const auto& [name, service] : s_.callers) {
      if (name != s_.spec().service.name) remove(kinds::kService, service->meta);
    }
  }

  // Services of revisions that have no pods and left the route; ReplicaSets beyond the history limit, oldest first.
  void add_removals() {
    std::vector<const RevisionView*> past;
    for (const auto& [revision, view] : s_.revisions) {
      const auto& traffic = course_.traffic;
      const bool in_use = revision == traffic.stable || revision == traffic.canary ||
                          revision == s_.wanted || view.has_pods() || pods_wanted(revision) > 0;
      if (in_use) continue;
      if (view.service && !stands_in_route(s_, revision))
        remove(kinds::kService, view.service->meta);
      if (view.replica_set) past.push_back(&view);
    }
    const auto limit = static_cast<std::size_t>(s_.spec().revision_history_limit);
    std::sort(past.begin(), past.end(), [](const auto* a, const auto* b) {
      return a->replica_set->meta.created > b->replica_set->meta.created;
    });
    for (std::size_t i = limit; i < past.size(); ++i)
      remove(kinds::kReplicaSet, past[i]->replica_set->meta);
  }

  void remove(const Kind& kind, const ObjectMeta& meta) {
    plan_.actions.emplace_back(DeleteObject{kind, meta.key, meta.uid});
  }

  void add_status(const Error* refused) {
    auto status = render_status(s_, course_, now_, refused);
    // What was asked stands in the route first.
    if (course_.answer && !refused && !route_waits_) add_answer(status, *course_.answer);
    if (!needs_write(release_.status, status, now_)) return;
    plan_.actions.emplace_back(PatchStatus{kinds::kRelease, release_.meta.key, release_.meta.uid,
                                           encode_release_status(status)});
  }

  const ReleaseSnapshot& s_;
  const Course& course_;
  const Release& release_;
  const WallTime now_;
  bool route_waits_ = false;
  Plan plan_;
};

}  // namespace

Plan plan_release(const ReleaseSnapshot& snapshot, const Course& course, WallTime now,
                  const Error* refused) {
  return PlanBuilder(snapshot, course, now).build(refused);
}

}  // namespace weir
