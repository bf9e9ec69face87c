// How the Job of one attempt looks. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "api/pipeline.h"
#include "api/pipeline_run.h"
#include "base/result.h"
#include "pipeline/run_values.h"

namespace weir {

struct JobSettings {
  std::string helper_image;      // with weir-step
  std::string checkout_image{};  // with git and weir-checkout; "" = nothing is checked out
};

struct StageJob {
  const PipelineRun& run;
  const PipelineSpec& pipeline;
  const Stage& stage;
  const Combination& combination;
  int attempt = 1;
  const RunValues& values;
};

// At most 63 characters. Stable for ever, and different for different runs (by uid), stages, combinations and attempts: who dies
// after a write finds what it wrote.
std::string job_name(const PipelineRun& run, const std::string& stage,
                     const std::string& combination, int attempt);

// Value of the label `weir.dev/combination`; "" for "".
std::string combination_label(const std::string& combination);

// Error: Invalid, naming the field of the stage whose placeholder has no value, or what came of it.
Result<Json> job_body(const StageJob& job, const JobSettings& settings);

}  // namespace weir
