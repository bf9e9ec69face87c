#include "pipeline/run_values.h"

#include <nlohmann/json.hpp>

#include "api/stage_graph.h"
#include "base/hash.h"
#include "base/json.h"

namespace weir {
namespace {

using What = Placeholder::Kind;

constexpr std::size_t kDigestLength = 20;  // symbols

std::optional<std::string> find(const std::map<std::string, std::string>& values,
                                const std::string& name) {
  const auto found = values.find(name);
  return found == values.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

RunValues values_of(const PipelineRun& run, const std::string& pipeline) {
  RunValues values;
  values.run = run.meta.key.name;
  values.pipeline = pipeline;
  values.ns = run.meta.key.ns;
  if (run.spec) values.commit = run.spec->commit;
  for (const auto& stage : run.status.stages)
    if (stage.phase == StagePhase::Succeeded && stage.combination.empty())
      values.results[stage.name] = stage.results;
  return values;
}

ValueOf RunValues::of(const Combination& combination) const {
  return [this, combination](const Placeholder& wanted) -> std::optional<std::string> {
    switch (wanted.kind) {
      case What::Run: return run;
      case What::Pipeline: return pipeline;
      case What::Namespace: return ns;
      case What::Commit: return commit.empty() ? std::nullopt : std::optional(commit);
      case What::Outcome: return outcome.empty() ? std::nullopt : std::optional(outcome);
      case What::Param: return find(params, wanted.name);
      case What::Matrix: return find(combination, wanted.name);
      case What::Result: {
        const auto stage = results.find(wanted.stage);
        return stage == results.end() ? std::nullopt : find(stage->second, wanted.name);
      }
    }
    return std::nullopt;
  };
}

std::string variable_name(std::string_view prefix, std::string_view name) {
  std::string variable(prefix);
  for (const char c : name)
    variable += c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return variable;
}

std::string input_digest(const Stage& stage, const Combination& combination,
                         const RunValues& values, const std::map<std::string, std::string>& needs) {
  Json results = Json::object();
  for (const auto& name : stages_before(stage)) {
    const auto found = values.results.find(name);
    if (found != values.results.end()) results[name] = found->second;
  }
  Json input{{"stage", stage.text},
             {"combination", to_string(combination)},
             {"params", values.params},
             {"results", results},
             {"needs", needs}};
  if (!values.commit.empty()) input["commit"] = values.commit;
  return short_hash(dump_json(input), kDigestLength);
}

}  // namespace weir
