#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/codec.h"
#include "api/job_views.h"
#include "api/lenient.h"
#include "api/text_rules.h"

namespace weir {
namespace {

constexpr std::size_t kMaxWords = 512;         // bytes
constexpr std::size_t kMaxTermination = 4096;  // as the kubelet reads

bool holds(const Json& condition) { return json_text(condition, {"status"}) == "True"; }

// A run that could not even begin is told to have begun in 1970.
std::optional<WallTime> real_time(const Json& json, std::string_view name) {
  const auto time = time_at(json, {name});
  return time && *time > WallTime{} ? time : std::nullopt;
}

ContainerView decode_container(const Json& status) {
  ContainerView view;
  view.name = json_text(status, {"name"});
  const Json& ended = json_at(status, {"state", "terminated"});
  const Json& running = json_at(status, {"state", "running"});
  if (ended.is_object()) {
    view.state = ContainerView::State::Ended;
    view.reason = clip(json_text(ended, {"reason"}), kMaxWords);
    view.message = clip(json_text(ended, {"message"}), kMaxTermination);
    view.exit_code = small_int(ended, {"exitCode"});
    view.started = real_time(ended, "startedAt");
    view.ended = real_time(ended, "finishedAt");
  } else if (running.is_object()) {
    view.state = ContainerView::State::Running;
    view.started = real_time(running, "startedAt");
  } else {
    view.reason = clip(json_text(status, {"state", "waiting", "reason"}), kMaxWords);
    view.message = kubelet_words(json_text(status, {"state", "waiting", "message"}), kMaxWords);
  }
  return view;
}

void read_condition(const Json& condition, JobView& job) {
  if (!holds(condition)) return;
  const auto type = json_text(condition, {"type"});
  const auto since = time_at(condition, {"lastTransitionTime"}).value_or(WallTime{});
  if (type == "Complete") job.completed = since;
  if (type != "Failed") return;
  job.failed = since;
  job.reason = clip(json_text(condition, {"reason"}), kMaxWords);
  job.message = clip(json_text(condition, {"message"}), kMaxWords);
}

void read_condition(const Json& condition, StagePodView& pod) {
  const auto type = json_text(condition, {"type"});
  const auto reason = clip(json_text(condition, {"reason"}), kMaxWords);
  if (type == "DisruptionTarget" && holds(condition))
    pod.disruption = reason.empty() ? type : reason;
  if (type == "PodScheduled" && !holds(condition))
    pod.unschedulable = kubelet_words(json_text(condition, {"message"}, reason), kMaxWords);
}

template <typename View>
void read_conditions(const Json& object, View& view) {
  const Json& conditions = json_at(object, {"status", "conditions"});
  if (!conditions.is_array()) return;
  for (const Json& condition : conditions) read_condition(condition, view);
}

}  // namespace

Result<JobView> decode_job(const Json& object) {
  JobView job;
  ASSIGN_OR_RETURN(job.meta, decode_meta(object));
  const Json& suspend = json_at(object, {"spec", "suspend"});
  job.suspended = suspend.is_boolean() && suspend.get<bool>();
  job.active = small_int(object, {"status", "active"});
  job.terminating = small_int(object, {"status", "terminating"});
  read_conditions(object, job);
  return job;
}

Result<StagePodView> decode_stage_pod(const Json& object) {
  StagePodView pod;
  ASSIGN_OR_RETURN(pod.meta, decode_meta(object));
  const auto phase = json_text(object, {"status", "phase"});
  pod.succeeded = phase == "Succeeded";
  pod.failed = phase == "Failed";
  pod.reason = clip(json_text(object, {"status", "reason"}), kMaxWords);
  pod.message = kubelet_words(json_text(object, {"status", "message"}), kMaxWords);
  read_conditions(object, pod);
  for (const char* list : {"initContainerStatuses", "containerStatuses"}) {
    const Json& statuses = json_at(object, {"status", list});
    if (!statuses.is_array()) continue;
    for (const Json& status : statuses) pod.containers.push_back(decode_container(status));
  }
  return pod;
}

}  // namespace weir
