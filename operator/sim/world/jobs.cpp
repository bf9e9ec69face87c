#include "sim/world/jobs.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/pipeline.h"
#include "base/time_format.h"
#include "sim/world/pods.h"

namespace weir::sim {
namespace {

const Deadline kNever(SteadyTime::max());

std::string uid_of(const Json& object) { return json_text(object, {"metadata", "uid"}); }

std::string job_of(const Json& pod) {
  const auto owners = owner_uids(pod);
  return owners.empty() ? "" : owners.front();
}

bool is_tracked(const Json& pod) {
  const Json& finalizers = json_at(pod, {"metadata", "finalizers"});
  return finalizers.is_array() &&
         std::any_of(finalizers.begin(), finalizers.end(),
                     [](const Json& name) { return name.get<std::string>() == kJobTracking; });
}

bool is_disrupted(const Json& pod) {
  for (const auto& condition : json_at(pod, {"status", "conditions"}))
    if (json_text(condition, {"type"}) == "DisruptionTarget" &&
        json_text(condition, {"status"}) == "True")
      return true;
  return false;
}

// Of the first rule of podFailurePolicy that a pod's conditions meet; "" = none.
std::string action_for(const Json& job, const Json& pod) {
  const Json& rules = json_at(job, {"spec", "podFailurePolicy", "rules"});
  if (!rules.is_array() || !is_disrupted(pod)) return "";
  for (const auto& rule : rules)
    for (const auto& condition : json_at(rule, {"onPodConditions"}))
      if (json_text(condition, {"type"}) == "DisruptionTarget") return json_text(rule, {"action"});
  return "";
}

}  // namespace

std::optional<SimTime> Jobs::reconcile() {
  std::map<std::string, Pods> pods;
  for (const auto& pod : scene_.server.all(kPod))
    if (is_of_job(*pod)) pods[job_of(*pod)].push_back(pod);
  std::map<std::string, Tally> tallies;
  std::optional<SimTime> again;
  for (const auto& job : scene_.server.all(kinds::kJob)) {
    const auto uid = uid_of(*job);
    auto& tally = tallies[uid] = std::move(tallies_[uid]);
    again = earlier(again, reconcile_one(*job, pods[uid], tally));
    pods.erase(uid);
  }
  tallies_ = std::move(tallies);
  for (const auto& [job, orphans] : pods)
    for (const auto& pod : orphans)
      if (is_over(*pod) && is_tracked(*pod)) release(*pod);
  return again;
}

std::optional<SimTime> Jobs::reconcile_one(const Json& job, const Pods& pods, Tally& tally) {
  Pods living;
  for (const auto& pod : pods) {
    if (is_over(*pod) && is_tracked(*pod)) count(job, *pod, tally);
    if (!is_over(*pod)) living.push_back(pod);
  }
  std::optional<SimTime> again;
  const bool suspended = json_at(job, {"spec", "suspend"}) == true;
  if (!tally.ended && tally.verdict) {
    again = end(tally, living);
  } else if (!tally.ended && suspended) {
    suspend(living, tally);
  } else if (!tally.ended && !is_deleting(job)) {
    if (!tally.conditions.empty()) set_condition(tally, "Suspended", false, "JobResumed");
    if (living.empty() && scene_.now() >= tally.not_before)
      create_pod(job);
    else if (living.empty())
      again = tally.not_before;
  }
  tell(job, tally);
  return again;
}

void Jobs::count(const Json& job, const Json& pod, Tally& tally) {
  release(pod);
  if (tally.ended) return;
  if (json_text(pod, {"status", "phase"}) == "Succeeded") {
    ++tally.succeeded;
    return judge(job, tally, "SuccessCriteriaMet", "Complete", "CompletionsReached");
  }
  const auto action = action_for(job, pod);
  tally.not_before = scene_.now() + scene_.between(seconds(1), seconds(8));
  if (action == "Ignore") return;
  ++tally.failed;
  if (action == "FailJob") return judge(job, tally, "FailureTarget", "Failed", "PodFailurePolicy");
  if (tally.failed > json_int(job, {"spec", "backoffLimit"}, 6))
    judge(job, tally, "FailureTarget", "Failed", "BackoffLimitExceeded");
}

void Jobs::judge(const Json& /*job*/, Tally& tally, std::string target, std::string final,
                 std::string reason) {
  if (tally.verdict) return;
  set_condition(tally, target, true, reason);
  tally.verdict = {std::move(target), std::move(final), std::move(reason),
                   scene_.now() + scene_.between(milliseconds(100), seconds(1))};
}

// It gives up its finalizer first: such a pod is not counted (deleteJobPods of k8s.io/kubernetes/pkg/controller/job).
void Jobs::suspend(const Pods& living, Tally& tally) {
  set_condition(tally, "Suspended", true, "JobSuspended");
  for (const auto& pod : living) {
    if (is_tracked(*pod)) release(*pod);
    if (!is_deleting(*pod)) delete_gracefully(scene_, *pod);
  }
}

std::optional<SimTime> Jobs::end(Tally& tally, const Pods& living) {
  for (const auto& pod : living)
    if (!is_deleting(*pod)) delete_gracefully(scene_, *pod);
  if (!living.empty()) return std::nullopt;
  if (scene_.now() < tally.verdict->at) return tally.verdict->at;
  set_condition(tally, tally.verdict->final, true, tally.verdict->reason);
  tally.ended = true;
  return std::nullopt;
}

void Jobs::create_pod(const Json& job) {
  const auto key = key_of(job);
  Json pod = json_at(job, {"spec", "template"});
  pod["apiVersion"] = "v1";
  pod["kind"] = "Pod";
  // Names rise with time, so that the youngest can be told.
  pod["metadata"]["name"] = fmt::format("{}-{:05}", key.name, ++pods_);
  pod["metadata"]["namespace"] = key.ns;
  pod["metadata"]["labels"][std::string(kJobName)] = key.name;
  pod["metadata"]["finalizers"] = Json::array({kJobTracking});
  pod["metadata"]["ownerReferences"] = Json::array({Json{{"apiVersion", "batch/v1"},
                                                         {"kind", "Job"},
                                                         {"name", key.name},
                                                         {"uid", uid_of(job)},
                                                         {"blockOwnerDeletion", true},
                                                         {"controller", true}}});
  (void)scene_.server.create(kPod, key.ns, pod, false, kNever);
}

void Jobs::release(const Json& pod) {
  scene_.server.edit(kPod, key_of(pod), [](Json& object) {
    std::erase_if(object["metadata"]["finalizers"].get_ref<Json::array_t&>(),
                  [](const Json& name) { return name.get<std::string>() == kJobTracking; });
  });
}

void Jobs::set_condition(Tally& tally, std::string_view type, bool holds, std::string_view reason) {
  Json made{{"type", type},
            {"status", holds ? "True" : "False"},
            {"reason", reason},
            {"lastTransitionTime", format_time(scene_.clock.now())}};
  for (auto& condition : tally.conditions) {
    if (json_text(condition, {"type"}) != type) continue;
    if (condition["status"] != made["status"]) condition = std::move(made);
    return;
  }
  if (holds) tally.conditions.push_back(std::move(made));
}

void Jobs::tell(const Json& job, const Tally& tally) {
  int active = 0;
  int terminating = 0;
  for (const auto& pod : scene_.server.all(kPod)) {
    if (job_of(*pod) != uid_of(job) || is_over(*pod)) continue;
    ++(is_deleting(*pod) ? terminating : active);
  }
  Json status{{"terminating", terminating}};
  if (active > 0) status["active"] = active;
  if (tally.succeeded > 0) status["succeeded"] = tally.succeeded;
  if (tally.failed > 0) status["failed"] = tally.failed;
  if (!tally.conditions.empty()) status["conditions"] = tally.conditions;
  if (json_at(job, {"status"}) != status)
    scene_.server.set_status(kinds::kJob, key_of(job), status);
}

}  // namespace weir::sim
