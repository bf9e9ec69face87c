// PipelineRun (weir.dev/v1alpha1): one way through a Pipeline.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/matrix.h"
#include "api/meta.h"
#include "api/pipeline.h"
#include "base/clock.h"
#include "base/result.h"

namespace weir {

// Labels on what a run owns.
namespace marks {
inline constexpr std::string_view kPipeline = "weir.dev/pipeline";
inline constexpr std::string_view kRun = "weir.dev/run";
inline constexpr std::string_view kStage = "weir.dev/stage";
inline constexpr std::string_view kCombination = "weir.dev/combination";  // hash; none: no matrix
inline constexpr std::string_view kAttempt = "weir.dev/attempt";          // from 1
}  // namespace marks

enum class DesiredState {
  Running,
  Stopped,    // what runs may end, nothing else begins, `finally` still runs
  Cancelled,  // what runs is stopped, nothing else begins
};

struct PipelineRunSpec {
  std::string pipeline;
  std::map<std::string, std::string> params;
  std::string commit;  // of the pipeline's source: the whole hash; "" = the pipeline has none
  DesiredState desired_state = DesiredState::Running;
  std::string rerun_of;  // a run whose successes are taken over where nothing changed; "" = none
};

enum class RunPhase {
  Pending,
  Queued,
  Running,
  Finishing,  // the stages have ended, those of `finally` run
  Succeeded,
  Failed,
  Cancelled,  // by a person, a newer run, or a graceful stop
};

enum class StagePhase {
  Waiting,
  Running,
  Stopping,  // told to end; `end` says what it will have been
  Succeeded,
  Failed,
  Skipped,
  Cancelled,
};

// A stage of a run, or one combination of it.
struct StageStatus {
  std::string name;
  std::string combination;  // as text; "" = the stage has no matrix
  StagePhase phase = StagePhase::Waiting;
  StagePhase end = StagePhase::Waiting;  // while Stopping: Failed or Cancelled
  int attempt = 0;                       // number of the newest Job
  int failures = 0;                      // ended attempts that count against retry.attempts
  int lost = 0;                          // those that the infrastructure ended
  std::string job;                       // name of the newest
  std::optional<FailureClass> failure;   // of the newest that failed
  std::string message;
  std::optional<WallTime> started;  // the newest attempt
  std::optional<WallTime> ended;
  std::optional<WallTime> retry_at;  // not before
  std::string input;                 // digest of all that it was made of
  std::string reused_from;           // the run that did it; "" = this one
  std::map<std::string, std::string> results;
  std::vector<Report> reports;  // of the newest attempt that has ended
  bool operator==(const StageStatus&) const = default;
};

struct PipelineRunStatus {
  std::int64_t observed_generation = 0;
  RunPhase phase = RunPhase::Pending;
  std::string reason;  // of an end, as a word: StageFailed, TimedOut, Superseded …
  std::string message;
  std::string group;  // of concurrency; "" = none
  std::string spec;   // digest of the Pipeline's spec that it runs
  DesiredState course =
      DesiredState::Running;  // what was decided to do, by a person or by us; never back
  std::optional<WallTime> started;
  std::optional<WallTime> ended;
  std::vector<StageStatus> stages;
  std::vector<Condition> conditions;
  bool operator==(const PipelineRunStatus&) const = default;
};

struct PipelineRun {
  ObjectMeta meta;
  Result<PipelineRunSpec> spec = PipelineRunSpec{};  // an error names the field
  PipelineRunStatus status;
};

constexpr bool has_ended(RunPhase phase) {
  return phase == RunPhase::Succeeded || phase == RunPhase::Failed || phase == RunPhase::Cancelled;
}
constexpr bool has_ended(StagePhase phase) {
  return phase != StagePhase::Waiting && phase != StagePhase::Running &&
         phase != StagePhase::Stopping;
}

std::string_view to_string(RunPhase phase);
std::string_view to_string(StagePhase phase);
std::string_view to_string(DesiredState state);

// Errors: Invalid (names the field's path, what was found and what is allowed) or Parse.
Result<PipelineRunSpec> decode_pipeline_run_spec(const Json& spec);
Result<PipelineRun> decode_pipeline_run(const Json& object);

// The parameters of a run with defaults filled in. Error: Invalid, naming the field of the run that does not fit the pipeline.
Result<std::map<std::string, std::string>> parameters_of(const PipelineRunSpec& run,
                                                         const PipelineSpec& pipeline);

// Error: Invalid: the commit is missing, or there is nothing to take it from.
Result<void> check_commit(const PipelineRunSpec& run, const PipelineSpec& pipeline);

PipelineRunStatus decode_pipeline_run_status(
    const Json& status);  // lenient: an unreadable part of it is as if absent
// Texts as long and lists as many as fit 64 KiB with room to spare.
Json encode_pipeline_run_status(const PipelineRunStatus& status);

// For metadata.ownerReferences of its children.
Json owner_reference(const PipelineRun& run);

}  // namespace weir
