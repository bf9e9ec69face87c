#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/codec.h"
#include "api/owner_reference.h"
#include "api/pipeline_run.h"
#include "api/stage_readers.h"

namespace weir {
namespace {

constexpr Range kParamCount{0, 32};
constexpr Choice<DesiredState> kStates[] = {{"Running", DesiredState::Running},
                                            {"Stopped", DesiredState::Stopped},
                                            {"Cancelled", DesiredState::Cancelled}};

std::map<std::string, std::string> read_params(const FieldReader& spec) {
  std::map<std::string, std::string> params;
  const auto items = spec.list("params", kParamCount);
  for (const auto& item : items) {
    auto name = item.text("name", text_rules::kParamName);
    params[std::move(name)] = item.text("value", text_rules::kParamValue);
  }
  spec.refuse_twins(items, "name");
  return params;
}

// SHA-1 or SHA-256: a branch's name would be another commit for the next stage.
bool is_commit(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

const TextRule kCommit{64, is_commit, "the whole hash of a commit (40 or 64 of 0-9 and a-f)"};

Error wrong(std::string what) { return {ErrorKind::Invalid, std::move(what)}; }

}  // namespace

std::string_view to_string(RunPhase phase) {
  switch (phase) {
    case RunPhase::Pending: return "Pending";
    case RunPhase::Queued: return "Queued";
    case RunPhase::Running: return "Running";
    case RunPhase::Finishing: return "Finishing";
    case RunPhase::Succeeded: return "Succeeded";
    case RunPhase::Failed: return "Failed";
    case RunPhase::Cancelled: return "Cancelled";
  }
  return "Pending";
}

std::string_view to_string(StagePhase phase) {
  switch (phase) {
    case StagePhase::Waiting: return "Waiting";
    case StagePhase::Running: return "Running";
    case StagePhase::Stopping: return "Stopping";
    case StagePhase::Succeeded: return "Succeeded";
    case StagePhase::Failed: return "Failed";
    case StagePhase::Skipped: return "Skipped";
    case StagePhase::Cancelled: return "Cancelled";
  }
  return "Waiting";
}

std::string_view to_string(DesiredState state) {
  switch (state) {
    case DesiredState::Running: return "Running";
    case DesiredState::Stopped: return "Stopped";
    case DesiredState::Cancelled: return "Cancelled";
  }
  return "Running";
}

Result<PipelineRunSpec> decode_pipeline_run_spec(const Json& spec) {
  Reading reading;
  auto run = read_pipeline_run_spec(FieldReader(spec, "spec", reading));
  if (auto error = reading.error()) return *std::move(error);
  return run;
}

PipelineRunSpec read_pipeline_run_spec(const FieldReader& reader) {
  PipelineRunSpec run;
  run.pipeline = reader.object("pipelineRef").text("name", text_rules::kServiceName);
  run.params = read_params(reader);
  if (reader.has("commit")) run.commit = reader.text("commit", kCommit);
  run.desired_state = reader.choice("desiredState", kStates, {DesiredState::Running});
  if (reader.has("rerunOf"))
    run.rerun_of = reader.object("rerunOf").text("name", text_rules::kServiceName);
  return run;
}

Result<PipelineRun> decode_pipeline_run(const Json& object) {
  PipelineRun run;
  ASSIGN_OR_RETURN(run.meta, decode_meta(object));
  const auto& name = run.meta.key.name;
  const auto& rule = text_rules::kServiceName;
  if (name.size() > rule.max || !rule.matches(name))
    run.spec =
        wrong(fmt::format("metadata.name: found \"{}\", must be {}", clip(name, 80), rule.allowed));
  else
    run.spec = decode_pipeline_run_spec(json_at(object, {"spec"}));
  run.status = decode_pipeline_run_status(json_at(object, {"status"}));
  return run;
}

Result<std::map<std::string, std::string>> parameters_of(const PipelineRunSpec& run,
                                                         const PipelineSpec& pipeline) {
  std::map<std::string, std::string> values;
  std::vector<std::string_view> known;
  for (const auto& param : pipeline.params) {
    known.push_back(param.name);
    const auto given = run.params.find(param.name);
    if (given == run.params.end()) {
      if (!param.fallback)
        return wrong(
            fmt::format("spec.params: found no {}, must have it: the pipeline has no "
                        "default",
                        param.name));
      values[param.name] = *param.fallback;
      continue;
    }
    const auto& allowed = param.allowed;
    if (!allowed.empty() &&
        std::find(allowed.begin(), allowed.end(), given->second) == allowed.end())
      return wrong(fmt::format("spec.params[name={}].value: found \"{}\", must be one of {}",
                               param.name, clip(given->second, 80), fmt::join(allowed, ", ")));
    values[param.name] = given->second;
  }
  for (const auto& [name, value] : run.params)
    if (!values.contains(name))
      return wrong(
          fmt::format("spec.params[].name: found \"{}\", must be one of the pipeline's "
                      "parameters ({})",
                      name, fmt::join(known, ", ")));
  return values;
}

Result<void> check_commit(const PipelineRunSpec& run, const PipelineSpec& pipeline) {
  if (pipeline.source && run.commit.empty())
    return wrong("spec.commit: missing, must be the commit of the pipeline's source to check out");
  if (!pipeline.source && !run.commit.empty())
    return wrong(fmt::format(
        "spec.commit: found \"{}\", must be left out: the pipeline has no source", run.commit));
  return {};
}

Json owner_reference(const PipelineRun& run) {
  return owner_reference(kinds::kPipelineRun, run.meta.key.name, run.meta.uid);
}

}  // namespace weir
