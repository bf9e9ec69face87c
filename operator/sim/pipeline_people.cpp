#include "sim/pipeline_people.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/pipeline_run.h"
#include "base/json.h"
#include "base/time_format.h"
#include "sim/inputs.h"
#include "sim/world/pods.h"

namespace weir::sim {
namespace {

using What = RunInput::What;

const Deadline kNever(SteadyTime::max());

ObjectKey key_of_run(const std::string& run) { return {std::string(kNamespace), run}; }

Json object_of(const Kind& kind, std::string_view name, Json spec) {
  return {{"apiVersion", kind.api_version()},
          {"kind", kind.name},
          {"metadata", {{"name", name}, {"namespace", kNamespace}}},
          {"spec", std::move(spec)}};
}

bool belongs(const Json& object, const RunInput& input) {
  const Json& labels = json_at(object, {"metadata", "labels"});
  return json_text(labels, {marks::kRun}) == input.run &&
         json_text(labels, {marks::kStage}) == input.stage;
}

std::string_view verb(What what) {
  switch (what) {
    case What::Create: return "created";
    case What::Cancel: return "cancelled";
    case What::Stop: return "stopped";
    case What::Delete: return "deleted";
    case What::LoseStatus: return "status is lost";
    case What::DeleteJob: return "Job deleted";
    case What::DeletePod: return "pod deleted";
    case What::EditPipeline: return "the Pipeline is edited";
  }
  return "";
}

}  // namespace

PipelinePeople::PipelinePeople(ApiServer& server, const SimClock& clock,
                               const PipelineOptions& options, Tell tell)
    : server_(server), clock_(clock), options_(options), tell_(std::move(tell)) {}

void PipelinePeople::begin() {
  if (options_.spec.empty()) return;
  const auto spec = parse_json(options_.spec);
  (void)server_.create(kinds::kPipeline, std::string(kNamespace),
                       object_of(kinds::kPipeline, kPipelineName, *spec), false, kNever);
}

std::optional<SimTime> PipelinePeople::due() const {
  return done() ? std::nullopt : std::optional(options_.inputs[next_].at);
}

void PipelinePeople::act() {
  const auto& input = options_.inputs[next_++];
  tell_(fmt::format("{}: {} {}", input.run, verb(input.what), input.stage));
  note(input);
  apply(input);
}

void PipelinePeople::apply(const RunInput& input) {
  const auto key = key_of_run(input.run);
  const auto want = [&](std::string_view state) {
    server_.edit(kinds::kPipelineRun, key, [&](Json& run) { run["spec"]["desiredState"] = state; });
  };
  switch (input.what) {
    case What::Create: return create_run(input.run);
    case What::Cancel: return want("Cancelled");
    case What::Stop: return want("Stopped");
    case What::Delete: return server_.drop(kinds::kPipelineRun, key);
    case What::LoseStatus:
      return server_.edit(kinds::kPipelineRun, key, [](Json& run) { run.erase("status"); });
    case What::DeleteJob:
      if (const Json* job = job_of(input)) server_.drop(kinds::kJob, key_of(*job));
      return;
    case What::DeletePod:
      if (const Json* pod = pod_of(input))
        server_.edit(kPod, key_of(*pod), [this](Json& object) {
          object["metadata"]["deletionTimestamp"] = format_time_micro(clock_.now());
        });
      return;
    case What::EditPipeline: return edit_pipeline();
  }
}

void PipelinePeople::create_run(const std::string& name) {
  if (std::find(runs_.begin(), runs_.end(), name) == runs_.end()) runs_.push_back(name);
  (void)server_.create(
      kinds::kPipelineRun, std::string(kNamespace),
      object_of(kinds::kPipelineRun, name, Json{{"pipelineRef", {{"name", kPipelineName}}}}), false,
      kNever);
}

void PipelinePeople::edit_pipeline() {
  server_.edit(kinds::kPipeline, key_of_run(std::string(kPipelineName)), [](Json& pipeline) {
    Json stage = pipeline["spec"]["stages"][0];
    stage["name"] = "late";
    stage.erase("needs");
    pipeline["spec"]["stages"].push_back(std::move(stage));
  });
}

void PipelinePeople::note(const RunInput& input) {
  std::string what(verb(input.what));
  if (input.what == What::DeleteJob) what += job_of(input) ? " hit" : " missed";
  if (input.what == What::DeletePod) what += pod_of(input) ? " hit" : " missed";
  const bool all = input.what == What::Create || input.what == What::EditPipeline;
  for (const auto& run : runs_)
    if (all || run == input.run) met_[run].push_back(what + ": " + standing(run));
  if (input.what != What::Create) return;
  for (const auto& run : runs_) met_[input.run].push_back(run + ": " + standing(run));
}

std::string PipelinePeople::standing(const std::string& run) const {
  const Json* object = server_.find(kinds::kPipelineRun, key_of_run(run));
  if (!object) return "gone";
  const auto status = decode_pipeline_run_status(json_at(*object, {"status"}));
  if (has_ended(status.phase)) return "over";
  return status.started ? "under way" : "not begun";
}

const Json* PipelinePeople::job_of(const RunInput& input) const {
  const Json* newest = nullptr;
  const auto attempt = [](const Json& job) {
    return std::stoi(json_text(job, {"metadata", "labels", marks::kAttempt}, "0"));
  };
  for (const auto& job : server_.all(kinds::kJob))
    if (belongs(*job, input) && (!newest || attempt(*newest) <= attempt(*job)))
      newest = server_.find(kinds::kJob, key_of(*job));
  return newest;
}

const Json* PipelinePeople::pod_of(const RunInput& input) const {
  for (const auto& pod : server_.all(kPod))
    if (belongs(*pod, input) && !is_over(*pod) && !is_deleting(*pod))
      return server_.find(kPod, key_of(*pod));
  return nullptr;
}

namespace {

// "{digest=build}": of a result, what does not depend on the attempt.
std::string results_of(const StageStatus& stage) {
  std::string text;
  for (const auto& [name, value] : stage.results)
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", name, value.substr(0, value.find('/')));
  return text.empty() ? "" : "{" + text + "}";
}

// Which of a matrix were cut off by the failure of another is a matter of moments.
bool fails_in_part(const PipelineRunStatus& status, const std::string& stage) {
  return std::any_of(status.stages.begin(), status.stages.end(), [&](const auto& other) {
    return other.name == stage && !other.combination.empty() && other.phase == StagePhase::Failed;
  });
}

}  // namespace

std::string end_of_run(const ApiServer& server, const std::string& run) {
  const Json* object = server.find(kinds::kPipelineRun, key_of_run(run));
  if (!object) return run + ": gone";
  const auto status = decode_pipeline_run_status(json_at(*object, {"status"}));
  if (json_text(*object, {"spec", "desiredState"}, "Running") != "Running" &&
      has_ended(status.phase))
    return run + ": was told to end, and has";
  auto text = fmt::format("{}: {} {}", run, to_string(status.phase), status.reason);
  for (const auto& stage : status.stages) {
    const bool part = fails_in_part(status, stage.name);
    text += fmt::format("; {} {} {}{}", stage.name, stage.combination,
                        part ? "of a matrix that fails" : to_string(stage.phase),
                        part ? "" : results_of(stage));
  }
  return text;
}

}  // namespace weir::sim
