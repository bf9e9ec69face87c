#include "sim/bugs.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/json.h"
#include "delivery/release_course.h"
#include "delivery/release_plan.h"
#include "kube/kinds.h"
#include "sim/stage.h"

namespace weir::sim {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(Bug::kCount)> kNames{
    "none",
    "status-before-weight",
    "rollback-last",
    "guard-dropped",
    "fence-dropped",
    "retried-unknown-write",
    "own-writes-forgotten",
    "weight-kept",
    "step-skipped",
    "hold-from-write",
    "readiness-ignored",
    "drain-skipped",
    "stable-scaled-down-early",
    "rollback-forgotten",
    "source-error-is-breach",
    "no-data-is-breach",
    "memo-ignored",
    "owner-dropped",
    "foreign-taken",
    "hot-loop",
    "request-forgotten",
    "pause-ignored",
    "disruption-is-crash",
    "flap-is-not-ready",
    "pod-failure-ignored",
    "shared-too-early",
    "config-live",
    "evidence-of-before",
    "peeking",
    "needs-ignored",
    "cancel-ignored",
    "stops-forgotten",
    "ending-pods-ignored",
    "results-forgotten",
    "job-names-differ",
    "edit-taken",
};

// ---- between observe and decide ----

void condemn(ObjectiveEvidence& evidence) {
  const RatioObjective broken{{}, std::nullopt, 0.05};
  evidence.source_error.reset();
  evidence.bad = evidence.total = 1000;
  evidence.tests.reset();
  (void)count(evidence, broken, {{1000, 1000}, std::nullopt, 0});
}

// By the normal approximation to a sample of fixed size, as a table of critical values has it.
bool is_significant(double excess, double variance, double alpha) {
  return variance > 0 && std::erfc(excess / std::sqrt(2 * variance)) / 2 < alpha;
}

// As if the present look at the counts were the only one.
bool looks_broken(const ObjectiveEvidence& seen, const RatioObjective& ratio, double alpha) {
  const Counts canary{seen.judged_bad, seen.judged_total};
  const Counts stable{seen.stable_bad, seen.stable_total};
  if (canary.total <= 0) return false;
  const double rate = canary.bad / canary.total;
  const auto spread = [](double chance, double total) { return chance * (1 - chance) / total; };
  if (ratio.at_most &&
      is_significant(rate - *ratio.at_most, spread(*ratio.at_most, canary.total), alpha))
    return true;
  if (!ratio.versus_stable || stable.total <= 0) return false;
  const double common = (canary.bad + stable.bad) / (canary.total + stable.total);
  return is_significant(rate - stable.bad / stable.total,
                        spread(common, canary.total) + spread(common, stable.total), alpha);
}

void peek(ReleaseSnapshot& snapshot) {
  for (const auto& objective : snapshot.policy->spec.objectives) {
    const auto found = snapshot.evidence.find(objective.name);
    if (!objective.ratio || found == snapshot.evidence.end()) continue;
    auto& seen = found->second;
    if (!looks_broken(seen, *objective.ratio, snapshot.policy->spec.judge.max_false_rollback))
      continue;
    seen.tests.reset();
    (void)count(seen, *objective.ratio, {{1000, 1000}, Counts{0, 1000}, 0});
  }
}

void believe_status(ReleaseSnapshot& snapshot) {
  const auto& status = snapshot.release->status;
  if (!status.stable) return;
  snapshot.traffic.stable = status.stable->revision;
  snapshot.traffic.canary = status.canary ? status.canary->revision : "";
  snapshot.traffic.weight = status.canary ? status.canary->weight : 0;
}

void believe_readiness(ReleaseSnapshot& snapshot) {
  for (auto& [revision, view] : snapshot.revisions) {
    if (!view.replica_set) continue;
    auto set = std::make_shared<ReplicaSetView>(*view.replica_set);
    set->ready = set->available = set->replicas;
    view.replica_set = set;
    view.ready_endpoints = set->replicas;
  }
}

// As if nobody but stable and the wanted revision had pods.
void believe_alone(ReleaseSnapshot& snapshot) {
  for (auto& [revision, view] : snapshot.revisions) {
    if (revision == snapshot.traffic.stable || revision == snapshot.wanted) continue;
    view.replica_set.reset();
    view.service.reset();
    view.endpoints = 0;
    view.pods.clear();
  }
}

// Each pod as the bug reads it.
void believe_pods(ReleaseSnapshot& snapshot, Bug bug) {
  for (auto& [revision, view] : snapshot.revisions) {
    if (bug == Bug::PodFailureIgnored) view.pods.clear();
    for (auto& entry : view.pods) {
      auto pod = *entry;
      ContainerTrouble trouble;
      trouble.container = "app";
      trouble.kind = ContainerTrouble::Kind::CrashLoop;
      const bool disrupted = bug == Bug::DisruptionIsCrash && !pod.disruption.empty();
      const bool flaps = bug == Bug::FlapIsNotReady && !pod.ready && pod.containers_ready;
      if (!disrupted && !flaps) continue;
      pod.disruption.clear();
      pod.containers_ready = pod.ready;
      pod.trouble = trouble;
      entry = std::make_shared<PodView>(std::move(pod));
    }
  }
}

// As if all had been counted at the present weight.
void believe_evidence(ReleaseSnapshot& snapshot, WallTime now) {
  const auto& canary = snapshot.release->status.canary;
  const bool known = canary && canary->accepted && canary->weight == snapshot.traffic.weight;
  for (auto& [objective, evidence] : snapshot.evidence)
    evidence.judged_from = (known ? *canary->accepted : now) + snapshot.policy->spec.judge.warmup;
}

void twist(ReleaseSnapshot& snapshot, WallTime now, Bug bug) {
  if (bug == Bug::EvidenceOfBefore && snapshot.policy) believe_evidence(snapshot, now);
  if (bug == Bug::Peeking && snapshot.policy) peek(snapshot);
  if (bug == Bug::MemoIgnored) believe_status(snapshot);
  if (bug == Bug::ReadinessIgnored) believe_readiness(snapshot);
  if (bug == Bug::SharedTooEarly && snapshot.router && snapshot.router->shares_by_pods())
    believe_alone(snapshot);
  if (bug == Bug::PauseIgnored) snapshot.traffic.paused = false;
  believe_pods(snapshot, bug);
  if (bug == Bug::HoldFromWrite) snapshot.route_state.accepted = snapshot.route_state.exists;
  for (auto& [objective, evidence] : snapshot.evidence) {
    if (bug == Bug::SourceErrorIsBreach && evidence.source_error) condemn(evidence);
    if (bug == Bug::NoDataIsBreach && evidence.asked && !evidence.sampled) condemn(evidence);
  }
}

// ---- between the decision and its plan ----

void twist(Course& course, const ReleaseSnapshot& snapshot, Bug bug) {
  const bool new_canary = course.traffic.canary != snapshot.traffic.canary;
  if (bug == Bug::WeightKept && new_canary && !course.traffic.canary.empty())
    course.traffic.weight = snapshot.traffic.weight;
  if (bug == Bug::StepSkipped && course.traffic.weight > snapshot.traffic.weight)
    course.traffic.weight = 100;
  if (bug == Bug::RollbackForgotten) course.traffic.rollback.reset();
  if (bug == Bug::RequestForgotten) course.traffic.request.clear();
}

// ---- between the plan and its execution ----

bool is_route(const Action& action) {
  const auto* patch = std::get_if<PatchObject>(&action);
  if (!patch) return false;
  const bool has_memo =
      !json_text(patch->body, {"metadata", "annotations", marks::kTraffic}).empty();
  return patch->kind == kinds::kHttpRoute || (patch->kind == kinds::kService && has_memo);
}

PatchObject scaled(const ReplicaSetView& set, int replicas) {
  return {kinds::kReplicaSet, set.meta.key, Json{{"spec", {{"replicas", replicas}}}}, set.meta.uid,
          ""};
}

void scale_early(Plan& plan, const ReleaseSnapshot& snapshot, const Course& course, Bug bug) {
  for (const auto& [revision, view] : snapshot.revisions) {
    if (!view.replica_set || view.replica_set->replicas == 0) continue;
    const bool serves = revision == course.traffic.stable || revision == course.traffic.canary;
    const int share = pods_for(100 - course.traffic.weight, snapshot.spec().replicas);
    if (bug == Bug::DrainSkipped && !serves)
      plan.actions.emplace_back(scaled(*view.replica_set, 0));
    if (bug == Bug::StableScaledDownEarly && revision == course.traffic.stable &&
        share < view.replica_set->replicas)
      plan.actions.emplace_back(scaled(*view.replica_set, share));
  }
}

void name_live_config(CreateObject& create, const ReleaseSnapshot& snapshot) {
  if (create.kind == kinds::kReplicaSet && !snapshot.config.refs.empty())
    create.body["spec"]["template"]["spec"] = (*snapshot.pod_template)["spec"];
}

void twist(Plan& plan, const ReleaseSnapshot& snapshot, const Course& course, WallTime now,
           Bug bug) {
  auto& actions = plan.actions;
  if (bug == Bug::StatusBeforeWeight)
    std::stable_partition(actions.begin(), actions.end(), [](const Action& action) {
      return std::holds_alternative<PatchStatus>(action);
    });
  if (bug == Bug::RollbackLast)
    std::stable_partition(actions.begin(), actions.end(),
                          [](const Action& action) { return !is_route(action); });
  if (bug == Bug::DrainSkipped || bug == Bug::StableScaledDownEarly)
    scale_early(plan, snapshot, course, bug);
  for (auto& action : actions) {
    auto* patch = std::get_if<PatchObject>(&action);
    if (bug == Bug::GuardDropped && patch) patch->resource_version.clear();
    auto* create = std::get_if<CreateObject>(&action);
    if (bug == Bug::ConfigLive && create) name_live_config(*create, snapshot);
    if (bug == Bug::OwnerDropped && create) create->body["metadata"].erase("ownerReferences");
  }
  if (bug != Bug::HotLoop) return;
  PatchStatus status{kinds::kRelease, snapshot.release->meta.key, snapshot.release->meta.uid,
                     Json{{"message", fmt::format("{}", now.time_since_epoch().count())}}};
  actions.emplace_back(std::move(status));
  plan.look_again_at(now + milliseconds(300));
}

class BuggyReconciler final : public Reconciler {
 public:
  BuggyReconciler(const ReleaseObserver& observer, Bug bug) : observer_(observer), bug_(bug) {}

  std::string_view name() const override { return "release"; }

  Plan plan(const ObjectKey& key, WallTime now, const Error* refused) const override {
    auto snapshot = observer_.observe(key);
    if (!snapshot || snapshot->release->meta.deleting) return {};
    twist(*snapshot, now, bug_);
    Course course = chart_course(*snapshot, now);
    twist(course, *snapshot, bug_);
    Plan plan = plan_release(*snapshot, course, now, refused);
    twist(plan, *snapshot, course, now, bug_);
    return plan;
  }

 private:
  const ReleaseObserver& observer_;
  Bug bug_;
};

// ---- at the door to the API server ----

class BuggyApi final : public ApiClient {
 public:
  BuggyApi(ApiClient& api, Stage& stage, Bug bug) : api_(api), stage_(stage), bug_(bug) {}

  Result<Json> get(const Kind& kind, const ObjectKey& key, const Deadline& deadline) override {
    return api_.get(kind, key, deadline);
  }
  Result<ListPage> list(const Kind& kind, const Selection& selection, const std::string& next,
                        const Deadline& deadline) override {
    return api_.list(kind, selection, next, deadline);
  }
  Result<Json> create(const Kind& kind, const std::string& ns, const Json& object, bool dry_run,
                      const Deadline& deadline) override {
    auto created = api_.create(kind, ns, object, dry_run, deadline);
    if (bug_ == Bug::ForeignTaken && !created && created.error().kind == ErrorKind::AlreadyExists)
      return take(kind, {ns, json_text(object, {"metadata", "name"})}, object, deadline);
    return created;
  }
  Result<Json> patch(const Kind& kind, const ObjectKey& key, const Patch& patch,
                     const Deadline& deadline) override {
    auto patched = api_.patch(kind, key, patch, deadline);
    for (int i = 0; i < 3 && bug_ == Bug::RetriedUnknownWrite && is_unknown(patched); ++i) {
      stage_.pass(seconds(6));
      patched = api_.patch(kind, key, without_guard(patch), deadline);
    }
    return patched;
  }
  Result<void> remove(const Kind& kind, const ObjectKey& key, const std::string& uid,
                      const Deadline& deadline) override {
    return api_.remove(kind, key, uid, deadline);
  }
  Result<void> watch(const WatchRequest& request, const OnLine& on_line,
                     const std::stop_token& stop) override {
    return api_.watch(request, on_line, stop);
  }

 private:
  static bool is_unknown(const Result<Json>& result) {
    return !result && (result.error().kind == ErrorKind::Unavailable ||
                       result.error().kind == ErrorKind::Timeout);
  }

  static Patch without_guard(const Patch& patch) {
    Patch blind = patch;
    auto body = parse_json(patch.body);
    if (body && body->contains("metadata")) (*body)["metadata"].erase("resourceVersion");
    if (body) blind.body = dump_json(*body);
    return blind;
  }

  Result<Json> take(const Kind& kind, const ObjectKey& key, const Json& object,
                    const Deadline& deadline) {
    const Json body{{"metadata",
                     {{"ownerReferences", json_at(object, {"metadata", "ownerReferences"})},
                      {"labels", json_at(object, {"metadata", "labels"})}}}};
    return api_.patch(kind, key, {Patch::Type::JsonMerge, dump_json(body)}, deadline);
  }

  ApiClient& api_;
  Stage& stage_;
  Bug bug_;
};

}  // namespace

std::string_view name_of(Bug bug) { return kNames[static_cast<std::size_t>(bug)]; }

Bug bug_named(std::string_view name) {
  const auto* found = std::find(kNames.begin(), kNames.end(), name);
  return static_cast<Bug>(found - kNames.begin());
}

std::unique_ptr<Reconciler> buggy_reconciler(const ReleaseObserver& observer, Bug bug) {
  return std::make_unique<BuggyReconciler>(observer, bug);
}

std::unique_ptr<ApiClient> buggy_api(ApiClient& api, Stage& stage, Bug bug) {
  return std::make_unique<BuggyApi>(api, stage, bug);
}

const std::vector<Hiding>& all_bugs() {
  static const std::vector<Hiding> kBugs = [] {
    std::vector<Hiding> bugs;
    for (int i = 1; i < static_cast<int>(Bug::kCount); ++i) {
      const auto bug = static_cast<Bug>(i);
      bugs.push_back({bug,
                      bug == Bug::ForeignTaken          ? "foreign-service"
                      : bug == Bug::GuardDropped        ? "route-edited-midway"
                      : bug == Bug::RetriedUnknownWrite ? "promote-midway"
                      : bug == Bug::RequestForgotten    ? "promote-midway"
                      : bug == Bug::ConfigLive          ? "config-change"
                      : bug == Bug::EvidenceOfBefore    ? "short-holds"
                      : bug == Bug::SharedTooEarly      ? "replicas-superseded"
                      : bug == Bug::NeedsIgnored        ? "pipeline-good"
                      : bug == Bug::CancelIgnored       ? "pipeline-cancelled-midway"
                      : bug == Bug::StopsForgotten      ? "pipeline-newest-only"
                      : bug == Bug::EndingPodsIgnored   ? "pipeline-job-deleted"
                      : bug == Bug::ResultsForgotten    ? "pipeline-good"
                      : bug == Bug::EditTaken           ? "pipeline-edited-midway"
                                                        : "",
                      bug == Bug::Peeking, bug == Bug::JobNamesDiffer});
    }
    return bugs;
  }();
  return kBugs;
}

}  // namespace weir::sim
