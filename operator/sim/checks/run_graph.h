// What the checks of pipelines read from the API: whose Job it is, and which graph its run goes through.
#pragma once

#include <optional>
#include <string>

#include "api/pipeline_run.h"
#include "sim/checks/check.h"

namespace weir::sim {

// A stage of one run, or one combination of it.
struct StageKey {
  std::string run;  // uid
  std::string stage;
  std::string combination;  // label
  auto operator<=>(const StageKey&) const = default;
};

// Of a Job.
StageKey stage_of(const Json& job);
// It has not ended and nobody has suspended it.
bool is_live(const Json& job);
bool has_condition(const Json& job, std::string_view type);

// As the run keeps it; nothing when it keeps none.
std::optional<PipelineSpec> graph_of(const ApiServer& server, const std::string& run_uid);
// Null: there is none of that name.
const weir::Stage* stage_in(const std::vector<weir::Stage>& stages, const std::string& name);

}  // namespace weir::sim
