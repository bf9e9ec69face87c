#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "api/condition_codec.h"
#include "api/lenient.h"
#include "api/pipeline_run.h"
#include "api/text_rules.h"
#include "base/time_format.h"

namespace weir {
namespace {

constexpr std::size_t kMaxMessage = 2048;  // bytes
constexpr std::size_t kMaxStageMessage = 512;
constexpr std::size_t kMaxText = 320;  // of names, combinations and words

constexpr std::array kRunPhases{RunPhase::Pending,   RunPhase::Queued,    RunPhase::Running,
                                RunPhase::Finishing, RunPhase::Succeeded, RunPhase::Failed,
                                RunPhase::Cancelled};
constexpr std::array kStagePhases{StagePhase::Waiting,   StagePhase::Running, StagePhase::Stopping,
                                  StagePhase::Succeeded, StagePhase::Failed,  StagePhase::Skipped,
                                  StagePhase::Cancelled};
constexpr std::array kStates{DesiredState::Running, DesiredState::Stopped, DesiredState::Cancelled};

template <typename E, std::size_t N>
E word_in(const Json& json, std::string_view name, const std::array<E, N>& words, E fallback) {
  const auto text = json_text(json, {name});
  const auto* found =
      std::find_if(words.begin(), words.end(), [&](E word) { return to_string(word) == text; });
  return found == words.end() ? fallback : *found;
}

void put_time(Json& json, const char* name, const std::optional<WallTime>& time) {
  if (time) json[name] = format_time_micro(*time);
}

void put_text(Json& json, const char* name, std::string_view text, std::size_t max) {
  if (!text.empty()) json[name] = clip(text, max);
}

void put_count(Json& json, const char* name, int count) {
  if (count != 0) json[name] = count;
}

std::optional<FailureClass> decode_failure(const Json& json) {
  const auto text = json_text(json, {"failure"});
  for (const auto failure : kFailureClasses)
    if (to_string(failure) == text) return failure;
  return std::nullopt;
}

StageStatus decode_stage(const Json& json) {
  StageStatus stage;
  stage.name = json_text(json, {"name"});
  stage.combination = json_text(json, {"combination"});
  stage.phase = word_in(json, "phase", kStagePhases, StagePhase::Waiting);
  stage.end = word_in(json, "end", kStagePhases, StagePhase::Waiting);
  stage.attempt = small_int(json, {"attempt"});
  stage.failures = small_int(json, {"failures"});
  stage.lost = small_int(json, {"lost"});
  stage.job = json_text(json, {"job"});
  stage.failure = decode_failure(json);
  stage.message = json_text(json, {"message"});
  stage.started = time_at(json, {"started"});
  stage.ended = time_at(json, {"ended"});
  stage.retry_at = time_at(json, {"retryAt"});
  stage.input = json_text(json, {"input"});
  stage.reused_from = json_text(json, {"reusedFrom"});
  const Json& results = json_at(json, {"results"});
  if (results.is_object())
    for (const auto& [name, value] : results.items())
      if (value.is_string()) stage.results[name] = value.get<std::string>();
  stage.reports = decode_reports(json_at(json, {"reports"}));
  return stage;
}

Json encode_stage(const StageStatus& stage) {
  Json json = Json::object();
  json["name"] = clip(stage.name, kMaxText);
  json["combination"] = clip(stage.combination, kMaxText);  // "" as well: it is part of the key
  json["phase"] = to_string(stage.phase);
  if (stage.end != StagePhase::Waiting) json["end"] = to_string(stage.end);
  put_count(json, "attempt", stage.attempt);
  put_count(json, "failures", stage.failures);
  put_count(json, "lost", stage.lost);
  put_text(json, "job", stage.job, kMaxText);
  if (stage.failure) json["failure"] = to_string(*stage.failure);
  put_text(json, "message", stage.message, kMaxStageMessage);
  put_time(json, "started", stage.started);
  put_time(json, "ended", stage.ended);
  put_time(json, "retryAt", stage.retry_at);
  put_text(json, "input", stage.input, kMaxText);
  put_text(json, "reusedFrom", stage.reused_from, kMaxText);
  for (const auto& [name, value] : stage.results)
    json["results"][name] = clip(value, kMaxResultBytes);
  if (!stage.reports.empty()) json["reports"] = encode_reports(stage.reports);
  return json;
}

}  // namespace

PipelineRunStatus decode_pipeline_run_status(const Json& json) {
  PipelineRunStatus status;
  status.observed_generation = json_int(json, {"observedGeneration"});
  status.phase = word_in(json, "phase", kRunPhases, RunPhase::Pending);
  status.reason = json_text(json, {"reason"});
  status.message = json_text(json, {"message"});
  status.group = json_text(json, {"group"});
  status.spec = json_text(json, {"spec"});
  status.course = word_in(json, "course", kStates, DesiredState::Running);
  status.started = time_at(json, {"started"});
  status.ended = time_at(json, {"ended"});
  const Json& stages = json_at(json, {"stages"});
  if (stages.is_array())
    for (const Json& stage : stages)
      if (!json_text(stage, {"name"}).empty()) status.stages.push_back(decode_stage(stage));
  status.conditions = decode_conditions(json_at(json, {"conditions"}));
  return status;
}

Json encode_pipeline_run_status(const PipelineRunStatus& status) {
  Json json = Json::object();
  json["observedGeneration"] = status.observed_generation;
  json["phase"] = to_string(status.phase);
  put_text(json, "reason", status.reason, kMaxText);
  put_text(json, "message", status.message, kMaxMessage);
  put_text(json, "group", status.group, kMaxMessage);
  put_text(json, "spec", status.spec, kMaxText);
  if (status.course != DesiredState::Running) json["course"] = to_string(status.course);
  put_time(json, "started", status.started);
  put_time(json, "ended", status.ended);
  Json stages = Json::array();
  for (const auto& stage : status.stages)
    if (stages.size() < kMaxInstances) stages.push_back(encode_stage(stage));
  if (!stages.empty()) json["stages"] = std::move(stages);
  if (!status.conditions.empty()) json["conditions"] = encode_conditions(status.conditions);
  return json;
}

}  // namespace weir
