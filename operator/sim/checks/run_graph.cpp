#include "sim/checks/run_graph.h"

#include <algorithm>

namespace weir::sim {

StageKey stage_of(const Json& job) {
  const auto owners = owner_uids(job);
  const Json& labels = json_at(job, {"metadata", "labels"});
  return {owners.empty() ? "" : owners.front(), json_text(labels, {marks::kStage}),
          json_text(labels, {marks::kCombination})};
}

bool has_condition(const Json& job, std::string_view type) {
  const Json& conditions = json_at(job, {"status", "conditions"});
  return conditions.is_array() &&
         std::any_of(conditions.begin(), conditions.end(), [&](const Json& condition) {
           return json_text(condition, {"type"}) == type &&
                  json_text(condition, {"status"}) == "True";
         });
}

bool is_live(const Json& job) {
  return json_at(job, {"spec", "suspend"}) != true && !has_condition(job, "Complete") &&
         !has_condition(job, "Failed");
}

std::optional<PipelineSpec> graph_of(const ApiServer& server, const std::string& run_uid) {
  for (const auto& kept : server.all(kinds::kControllerRevision)) {
    const auto owners = owner_uids(*kept);
    if (owners.empty() || owners.front() != run_uid) continue;
    auto spec = decode_pipeline_spec(json_at(*kept, {"data"}));
    return spec ? std::optional(*std::move(spec)) : std::nullopt;
  }
  return std::nullopt;
}

const weir::Stage* stage_in(const std::vector<weir::Stage>& stages, const std::string& name) {
  const auto found = std::find_if(stages.begin(), stages.end(),
                                  [&](const weir::Stage& stage) { return stage.name == name; });
  return found == stages.end() ? nullptr : &*found;
}

}  // namespace weir::sim
