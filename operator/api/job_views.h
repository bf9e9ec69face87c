// Read-only views of the Job of one attempt and of its pod: how far the steps are, and how they ended.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/meta.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace weir {

struct JobView {
  ObjectMeta meta;
  bool suspended = false;  // spec
  int active = 0;
  int terminating = 0;
  std::optional<WallTime> completed;  // condition Complete
  std::optional<WallTime> failed;     // condition Failed: all its pods have ended
  std::string reason;                 // of Failed
  std::string message;

  bool has_ended() const { return completed || failed; }
  // Nothing of it runs, and nothing will unless somebody resumes it.
  bool is_quiet() const { return has_ended() || (suspended && active == 0 && terminating == 0); }
};

struct ContainerView {
  enum class State { Waiting, Running, Ended };
  std::string name;
  State state = State::Waiting;
  std::string reason;   // why it waits, or how it ended: "ErrImagePull", "OOMKilled" …
  std::string message;  // while it waits without queries of URLs; of an end its termination message
  int exit_code = 0;
  std::optional<WallTime> started;
  std::optional<WallTime> ended;
};

// With all its containers: `PodView` keeps only the worst.
struct StagePodView {
  ObjectMeta meta;
  bool succeeded = false;  // phase
  bool failed = false;     // phase
  std::string reason;      // of the pod: "DeadlineExceeded", "Evicted" …
  std::string message;
  std::string disruption;     // reason of the condition DisruptionTarget; "" = it does not hold
  std::string unschedulable;  // the scheduler's words; "" = scheduled, or not tried yet
  std::vector<ContainerView> containers;  // init containers first, in their order
};

// Errors: Parse.
Result<JobView> decode_job(const Json& object);
Result<StagePodView> decode_stage_pod(const Json& object);

}  // namespace weir
