#pragma once

#include "pipeline/run_snapshot.h"
#include "pipeline/stage_job.h"
#include "runtime/plan.h"

namespace weir {

// Which writes, in which order: what is told to stop is written down before it is stopped, and a Job is made before it is told of.
// After a crash between any two of them the same decision is made again. Pure.
Plan decide_run(const RunSnapshot& snapshot, const JobSettings& settings, WallTime now,
                const Error* refused);

// View of a ControllerRevision with the spec that a run keeps, so that an edit of the Pipeline does not change what has begun.
struct KeptSpec {
  ObjectMeta meta;
  std::string text;  // compact JSON; "" = none
};

std::string kept_spec_name(const PipelineRun& run);
Result<KeptSpec> decode_kept_spec(const Json& object);  // errors: Parse
bool is_kept_for(const KeptSpec& kept, const PipelineRun& run);

}  // namespace weir
