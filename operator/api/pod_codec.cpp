#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "api/codec.h"
#include "api/lenient.h"
#include "api/text_rules.h"
#include "base/time_format.h"

namespace weir {
namespace {

using Kind = ContainerTrouble::Kind;

// The kubelet forgets its back-off when a container has run for so long: no loop then.
constexpr milliseconds kLongRun{600'000};
constexpr int kCrashesOfALoop = 2;  // the kubelet's back-off begins with the second

// Why a container waits while its image is not there (pkg/kubelet/images).
constexpr std::array<std::string_view, 7> kImageReasons{
    "ErrImagePull",      "ImagePullBackOff",    "InvalidImageName",         "ErrImageNeverPull",
    "ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed"};
// How a container ended whose node was lost to it: nothing that it did.
constexpr std::array<std::string_view, 2> kLostReasons{"ContainerStatusUnknown", "Unknown"};

template <std::size_t N>
bool is_one_of(const std::string& text, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool is_true(const Json& json) { return json.is_boolean() && json.get<bool>(); }

// A run that could not even begin is told to have begun in 1970.
bool ran_long(const Json& end) {
  const auto began = time_at(end, {"startedAt"});
  const auto ended = time_at(end, {"finishedAt"});
  return began && ended && *began > WallTime{} && *ended - *began >= kLongRun;
}

// What the kubelet says, and between two crashes, when it says "Running", what it remembers.
bool is_crash_loop(const Json& status, const Json& end) {
  if (json_text(status, {"state", "waiting", "reason"}) == "CrashLoopBackOff") return true;
  const bool over = !json_at(status, {"state", "terminated"}).is_null();
  const int crashes = small_int(status, {"restartCount"}) + (over ? 1 : 0);
  return crashes >= kCrashesOfALoop && json_int(end, {"exitCode"}) != 0 && !ran_long(end) &&
         !is_one_of(json_text(end, {"reason"}), kLostReasons);
}

Kind kind_of(const Json& status, const Json& end) {
  if (is_crash_loop(status, end)) return Kind::CrashLoop;
  return is_one_of(json_text(status, {"state", "waiting", "reason"}), kImageReasons)
             ? Kind::ImagePull
             : Kind::NotReady;
}

std::optional<ContainerTrouble> trouble_of(const Json& status) {
  const Json& state = json_at(status, {"state"});
  const Json& over = json_at(state, {"terminated"});
  const Json& end = over.is_null() ? json_at(status, {"lastState", "terminated"}) : over;
  // An init container that has done its work is not ready in every version of Kubernetes.
  if (!over.is_null() && json_int(over, {"exitCode"}) == 0) return std::nullopt;
  ContainerTrouble trouble;
  trouble.kind = kind_of(status, end);
  if (trouble.kind == Kind::NotReady && is_true(json_at(status, {"ready"}))) return std::nullopt;
  trouble.container = json_text(status, {"name"});
  trouble.reason = clip(json_text(state, {"waiting", "reason"}), ContainerTrouble::kMaxWords);
  trouble.message =
      kubelet_words(json_text(state, {"waiting", "message"}), ContainerTrouble::kMaxWords);
  trouble.restarts = small_int(status, {"restartCount"});
  if (end.is_object()) {
    trouble.exit_code = small_int(end, {"exitCode"});
    trouble.exit_reason = clip(json_text(end, {"reason"}, "Error"), ContainerTrouble::kMaxWords);
    trouble.ended = time_at(end, {"finishedAt"});
  }
  if (trouble.kind == Kind::CrashLoop)
    trouble.running_since = time_at(json_at(state, {"running"}), {"startedAt"});
  return trouble;
}

// Those that wait for others to begin or for their sandbox tell nothing yet.
bool tells(const ContainerTrouble& trouble) {
  return !trouble.reason.empty() && trouble.reason != "PodInitializing" &&
         trouble.reason != "ContainerCreating";
}

bool is_worse(const ContainerTrouble& a, const ContainerTrouble& b) {
  return a.kind != b.kind ? a.kind > b.kind : tells(a) && !tells(b);
}

std::optional<ContainerTrouble> worst_trouble(const Json& pod) {
  std::optional<ContainerTrouble> worst;
  for (const char* list : {"initContainerStatuses", "containerStatuses"}) {
    const Json& statuses = json_at(pod, {"status", list});
    if (!statuses.is_array()) continue;
    for (const Json& status : statuses) {
      auto trouble = trouble_of(status);
      if (trouble && (!worst || is_worse(*trouble, *worst))) worst = std::move(trouble);
    }
  }
  return worst;
}

void read_condition(const Json& condition, PodView& pod) {
  const auto type = json_text(condition, {"type"});
  const bool holds = json_text(condition, {"status"}) == "True";
  const auto reason = clip(json_text(condition, {"reason"}), ContainerTrouble::kMaxWords);
  if (type == "Ready") {
    pod.ready = holds;
    if (!holds) pod.not_ready = reason;
    if (holds) pod.ready_since = time_at(condition, {"lastTransitionTime"});
  } else if (type == "ContainersReady") {
    pod.containers_ready = holds;
    if (!holds) pod.containers_unready_since = time_at(condition, {"lastTransitionTime"});
  } else if (type == "DisruptionTarget" && holds) {
    pod.disruption = reason.empty() ? type : reason;
  } else if (type == "PodScheduled" && !holds) {
    pod.unschedulable =
        kubelet_words(json_text(condition, {"message"}, reason), ContainerTrouble::kMaxWords);
  }
}

}  // namespace

Result<PodView> decode_pod(const Json& object) {
  PodView pod;
  ASSIGN_OR_RETURN(pod.meta, decode_meta(object));
  const auto phase = json_text(object, {"status", "phase"});
  pod.finished = phase == "Succeeded" || phase == "Failed";
  const Json& conditions = json_at(object, {"status", "conditions"});
  if (conditions.is_array())
    for (const Json& condition : conditions) read_condition(condition, pod);
  pod.trouble = worst_trouble(object);
  return pod;
}

}  // namespace weir
