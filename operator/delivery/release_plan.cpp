#include "delivery/release_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "api/codec.h"
#include "base/json.h"
#include "delivery/adoption.h"
#include "delivery/course_moves.h"
#include "delivery/release_config.h"
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
    add_config_reading(s_, now_, plan_);
    // Of many that are hurt at once, each is taken back before any of them is told of.
    if (!refused && takes_back()) {
      const auto before = plan_.actions.size();
      add_route();
      if (plan_.actions.size() > before) {
        plan_.look_again_at(now_);
        return std::move(plan_);
      }
    }
    if (refused) add_status(refused);
    if (course_.hands_off) {
      if (course_.traffic != s_.traffic || (release_.spec && s_.router)) add_route();
      for (const auto& action : course_.adoption) plan_.actions.push_back(action);
    } else {
      add_moves();
    }
    // While its config is being read nobody can tell whether this spec is served already.
    if (!refused && !course_.quiet && !s_.config.unread) add_status(nullptr);
    for (const auto& notice : course_.notices) record(notice);
    if (course_.look_again) plan_.look_again_at(*course_.look_again);
    return std::move(plan_);
  }

  Plan settle(const Error* refused) {
    if (refused) add_status(refused);
    if (s_.route && s_.router) add_route();
    add_scales(false);
    if (!refused) add_status(nullptr);
    return std::move(plan_);
  }

 private:
  bool takes_back() const {
    const auto& mark = course_.traffic.rollback;
    return mark && mark != s_.traffic.rollback && !course_.answer && course_.notices.empty();
  }

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
    keep_paused();
  }

  // An adopted Deployment that runs would make pods of its own.
  void keep_paused() {
    const auto& deployment = s_.deployment;
    if (!deployment || deployment->paused) return;
    const Json body{{"metadata", {{"labels", deployment->meta.labels}}},
                    {"spec", {{"paused", true}}}};
    plan_.actions.emplace_back(PatchObject{kinds::kDeployment, deployment->meta.key, body,
                                           deployment->meta.uid, "",
                                           "somebody who resumed an adopted Deployment"});
  }

  bool weight_rises() const {
    const auto goal = backends();
    return std::any_of(goal.begin(), goal.end(), [&](const Backend& backend) {
      return backend.revision == course_.traffic.canary &&
             backend.weight > weight_now(backend.revision);
    });
  }

  // The one write that need not fear what has come between: who is stable, and stays it, gets back what it gave. Any other must not
  // undo what was decided since, should it come through after it was given up.
  bool gives_back() const {
    const auto goal = backends();
    return course_.traffic.stable == s_.traffic.stable &&
           std::any_of(goal.begin(), goal.end(), [&](const Backend& backend) {
             return backend.revision == course_.traffic.stable &&
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
    if (s_.router->shares_by_pods()) {
      if (taken_service()) return;  // first it must be ours
      goal.callers_service = callers_service();
    }
    auto action = s_.router->plan(release_, goal, s_.route.get(), !gives_back());
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
    if (s_.revision(s_.first).replica_set) return;
    const Json callers = callers_service_body(release_, s_.spec(), s_.wanted);
    const RouteGoal goal{{{s_.wanted, child_name(release_, s_.wanted), 100}}, "{}", callers};
    auto route = s_.router->plan(release_, goal, nullptr, false);
    if (route && *route) plan_.actions.push_back(std::move(**route));
    if (!s_.router->shares_by_pods()) create(kinds::kService, callers);
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
    if (s_.traffic.stable.empty()) needed.insert(s_.first);
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
      create_replica_set();
    }
  }

  // With config it begins without pods: its copies can be made only when it is there to own them.
  void create_replica_set() {
    RevisionSpec revision{s_.wanted, *s_.pod_template, pods_wanted(s_.wanted), *s_.policy};
    revision.adopted = s_.deployment.get();
    if (!s_.config.refs.empty()) {
      const auto mark = new_config_mark(s_, now_);
      revision.resolved_template = with_names(*s_.pod_template, mark.copies);
      revision.config_mark = encode_config_mark(mark);
      revision.replicas = 0;
    }
    create(kinds::kReplicaSet, replica_set_body(release_, s_.spec(), revision));
    mark_restored(stood_in_route(s_.wanted));
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
      const bool lacks = up && view.lacks_config();
      if (lacks && !add_copies(revision)) continue;
      if (up && !lacks) restore_copies(revision, view);
      const bool grows = wanted > view.replicas() || pins || lacks;
      if (up ? grows : wanted < view.replicas() && may_shrink(revision))
        scale(view, std::max(wanted, up ? view.replicas() : 0), pins, lacks);
    }
  }

  // Before the first pod. False: not now, so no pods either.
  bool add_copies(const std::string& revision) {
    if (revision != s_.wanted || course_.pods.count(revision) == 0) return false;
    auto copies = config_copies(s_);
    if (copies.empty()) return false;
    for (auto& copy : copies) plan_.actions.emplace_back(std::move(copy));
    return true;
  }

  // Nobody watches them; that one is gone shows by a pod that cannot start. Those that are there stay as they are.
  void restore_copies(const std::string& revision, const RevisionView& view) {
    if (revision != s_.wanted || !may_lack_copies(view, now_, plan_)) return;
    for (auto& copy : config_copies(s_)) {
      plan_.actions.emplace_back(std::move(copy));
      mark_restored(true);
    }
  }

  static std::string pin_of(const RevisionView& view) {
    const auto found = view.replica_set->meta.annotations.find(marks::kPolicy);
    return found == view.replica_set->meta.annotations.end() ? "" : found->second;
  }

  void scale(const RevisionView& view, int replicas, bool pins, bool copied) {
    const auto& labels = view.replica_set->meta.labels;
    Json body{{"metadata", {{"labels", labels}}}, {"spec", {{"replicas", replicas}}}};
    if (pins) {
      body["metadata"]["annotations"][std::string(marks::kPolicy)] = s_.policy->text;
      body["spec"]["minReadySeconds"] = s_.policy->spec.min_ready_seconds;
    }
    if (copied) body["metadata"]["annotations"][std::string(marks::kConfigCopied)] = "true";
    plan_.actions.emplace_back(PatchObject{kinds::kReplicaSet, view.replica_set->meta.key,
                                           std::move(body), view.replica_set->meta.uid, "",
                                           view.replica_set->edited_by});
  }

  // Pods go no earlier than `drain` after their weight 0 was accepted; who serves may shrink with the spec.
  bool may_shrink(const std::string& revision) {
    if (revision == course_.traffic.stable) return course_.traffic.canary.empty();
    // Only where pods are the share the course ever wants fewer.
    if (revision == course_.traffic.canary) return s_.router->shares_by_pods();
    for (const auto& idle : idle_revisions(s_, course_, now_)) {
      if (idle.revision != revision) continue;
      const auto until = idle.since + (s_.policy ? s_.policy->spec.drain : kDefaultDrain);
      if (now_ >= until) return true;
      plan_.look_again_at(until);
    }
    return false;
  }

  void add_callers_service() {
    if (course_.traffic.stable.empty()) return;  // its selector witnesses who serves: nobody yet
    const auto found = s_.callers.find(s_.spec().service.name);
    if (auto taken = taken_service()) {
      plan_.actions.push_back(*std::move(taken));
    } else if (s_.router->shares_by_pods()) {
      // It is the route, which has been written.
    } else if (found == s_.callers.end()) {
      create(kinds::kService, callers_service());
      mark_restored(s_.callers.empty() && !release_.status.weights.empty());
    } else {
      correct(kinds::kService, *found->second, callers_service());
      forget_route(*found->second);
    }
    for (const auto& [name, service] : s_.callers) {
      if (name != s_.spec().service.name && service != s_.route)
        remove(kinds::kService, service->meta);
    }
  }

  // As it is when one revision serves alone.
  Json callers_service() const {
    if (!release_.spec) return {};
    Json body = callers_service_body(release_, s_.spec(), course_.traffic.stable);
    // The ports of a Service that was taken over stay as its callers know them.
    const auto found = s_.callers.find(s_.spec().service.name);
    if (found != s_.callers.end() && found->second->meta.annotations.contains(marks::kAdopted))
      body["spec"].erase("ports");
    return body;
  }

  // The user's Service, as long as it is not ours.
  std::optional<Action> taken_service() const {
    if (!release_.spec || s_.callers.contains(s_.spec().service.name)) return std::nullopt;
    return take_service(s_, callers_service());
  }

  // It was the route before the spec asked for another router: what it tells of the traffic grows old.
  void forget_route(const RawObject& service) {
    Json none = Json::object();
    for (const auto& [name, text] : service.meta.annotations)
      if (name != marks::kAdopted) none[name] = nullptr;
    if (none.empty() || s_.route_state.memo.empty()) return;
    plan_.actions.emplace_back(PatchObject{
        kinds::kService, service.meta.key,
        Json{{"metadata", {{"labels", service.meta.labels}, {"annotations", std::move(none)}}}},
        service.meta.uid});
  }

  // Services of revisions that have no pods and left the route; ReplicaSets beyond the history limit, oldest first.
  void add_removals() {
    const bool told = !s_.route_state.memo.empty();
    if (told && s_.left_route && !s_.left_router->shares_by_pods())
      remove(s_.left_router->kind(), s_.left_route->meta);
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

  // The watch events of what this pass writes bring the next one at once: it tells of them, in one write instead of two.
  bool moves_children() const {
    return std::any_of(plan_.actions.begin(), plan_.actions.end(), [](const Action& action) {
      return std::holds_alternative<PatchObject>(action) ||
             std::holds_alternative<DeleteObject>(action);
    });
  }

  void add_status(const Error* refused) {
    if (course_.settling && !course_.answer && !refused) return;
    auto status = render_status(s_, course_, now_, refused);
    // What was asked stands in the route first.
    if (course_.answer && !refused && !route_waits_) add_answer(status, *course_.answer);
    if (!needs_write(release_.status, status, now_)) return;
    if (!refused && moves_children() && differs_in_counts_only(release_.status, status)) return;
    plan_.actions.emplace_back(PatchStatus{kinds::kRelease, release_.meta.key, release_.meta.uid,
                                           encode_release_status(status)});
    const auto notice = news_of_rollback(release_.status, course_.traffic);
    if (notice && !refused) record(*notice);
  }

  void record(const Notice& notice) {
    plan_.actions.emplace_back(RecordEvent{kinds::kRelease, release_.meta.key, release_.meta.uid,
                                           notice.warning, notice.reason, notice.message});
  }

  const ReleaseSnapshot& s_;
  const Course& course_;
  const Release& release_;
  const WallTime now_;
  bool route_waits_ = false;
  Plan plan_;
};

}  // namespace

Plan plan_settling(const ReleaseSnapshot& snapshot, const Course& course, WallTime now,
                   const Error* refused) {
  return PlanBuilder(snapshot, course, now).settle(refused);
}

Plan plan_release(const ReleaseSnapshot& snapshot, const Course& course, WallTime now,
                  const Error* refused) {
  return PlanBuilder(snapshot, course, now).build(refused);
}

}  // namespace weir
