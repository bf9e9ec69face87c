// What placeholders stand for in one run. Pure.
#pragma once

#include <map>
#include <string>

#include "api/matrix.h"
#include "api/pipeline.h"
#include "api/pipeline_run.h"
#include "api/placeholders.h"

namespace weir {

struct RunValues {
  std::string run;
  std::string pipeline;
  std::string ns;
  std::string commit;  // "" = the pipeline has no source
  std::map<std::string, std::string> params;
  std::map<std::string, std::map<std::string, std::string>> results;  // by stage
  std::string outcome;  // of the stages, for `finally`; "" = not known yet

  // The result of `of` must not outlive this object.
  ValueOf of(const Combination& combination) const;
};

// Without parameters, which parameters_of tells.
RunValues values_of(const PipelineRun& run, const std::string& pipeline);

// "PARAM_LOG_LEVEL", "MATRIX_PYTHON"
std::string variable_name(std::string_view prefix, std::string_view name);

// Of all that makes what a stage does: equal digests, equal work.
std::string input_digest(const Stage& stage, const Combination& combination,
                         const RunValues& values, const std::map<std::string, std::string>& needs);

}  // namespace weir
