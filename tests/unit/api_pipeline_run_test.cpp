#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/job_views.h"
#include "api/pipeline_run.h"
#include "base/json.h"

namespace weir {
namespace {

using std::chrono::seconds;

Result<PipelineRunSpec> decode(const std::string& text) {
  return decode_pipeline_run_spec(Json::parse(text));
}

TEST(PipelineRunSpec, AllOfItIsRead) {
  const auto run = decode(R"({"pipelineRef": {"name": "shop"},
      "params": [{"name": "level", "value": "debug"}],
      "desiredState": "Stopped", "rerunOf": {"name": "shop-1"}})");
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->pipeline, "shop");
  EXPECT_EQ(run->params.at("level"), "debug");
  EXPECT_EQ(run->desired_state, DesiredState::Stopped);
  EXPECT_EQ(run->rerun_of, "shop-1");
  EXPECT_EQ(decode(R"({"pipelineRef": {"name": "shop"}})")->desired_state, DesiredState::Running);
}

TEST(PipelineRunSpec, BadInputIsRefusedWithPathAndWhatIsAllowed) {
  const std::vector<std::pair<std::string, std::string>> table{
      {"{}", "spec.pipelineRef: missing, must be an object"},
      {R"({"pipelineRef": {"name": "shop"}, "params": [{"name": "a", "value": 1}]})",
       "spec.params[0].value: found 1, must be a text of at most 2048 characters"},
      {R"({"pipelineRef": {"name": "shop"}, "desiredState": "Paused"})",
       "spec.desiredState: found \"Paused\", must be one of Running, Stopped, Cancelled"},
  };
  for (const auto& [text, message] : table) {
    const auto run = decode(text);
    ASSERT_FALSE(run) << text;
    EXPECT_EQ(run.error().message, message);
  }
}

TEST(PipelineRunSpec, ParametersFitThePipeline) {
  PipelineSpec pipeline;
  pipeline.params = {{"level", "info", {"info", "debug"}}, {"title", std::nullopt, {}}};
  PipelineRunSpec run;
  EXPECT_EQ(parameters_of(run, pipeline).error().message,
            "spec.params: found no title, must have it: the pipeline has no default");
  run.params["title"] = "$(x)";
  EXPECT_EQ(*parameters_of(run, pipeline),
            (std::map<std::string, std::string>{{"level", "info"}, {"title", "$(x)"}}));
  run.params["level"] = "loud";
  EXPECT_EQ(parameters_of(run, pipeline).error().message,
            "spec.params[name=level].value: found \"loud\", must be one of info, debug");
  run.params["level"] = "debug";
  run.params["lvl"] = "debug";
  EXPECT_EQ(parameters_of(run, pipeline).error().message,
            "spec.params[].name: found \"lvl\", must be one of the pipeline's parameters (level, "
            "title)");
}

PipelineRunStatus full_status() {
  const WallTime time{seconds(1'700'000'000)};
  PipelineRunStatus status;
  status.observed_generation = 3;
  status.phase = RunPhase::Finishing;
  status.reason = "TimedOut";
  status.message = "m";
  status.group = "main";
  status.spec = "d1";
  status.course = DesiredState::Cancelled;
  status.started = time;
  status.ended = time + seconds(1);
  StageStatus stage;
  stage.name = "unit";
  stage.combination = "python=3.11";
  stage.phase = StagePhase::Stopping;
  stage.end = StagePhase::Failed;
  stage.attempt = 3;
  stage.failures = 1;
  stage.lost = 1;
  stage.job = "shop-1-unit-3-x";
  stage.failure = FailureClass::OutOfMemory;
  stage.message = "step test used more memory than its limit";
  stage.started = time;
  stage.ended = time;
  stage.retry_at = time;
  stage.input = "i";
  stage.reused_from = "shop-0";
  stage.results = {{"digest", "sha256:1"}};
  stage.reports = {{"unit", {{"tests", 41}, {"seconds", 1.5}}, {"a.b"}, ""},
                   {"load", {}, {}, "no"}};
  status.stages = {stage, StageStatus{"lint", ""}};
  status.conditions = {{"Succeeded", "Unknown", "Finishing", "m", 3, time}};
  return status;
}

TEST(PipelineRunStatus, GoesToJsonAndBack) {
  const auto status = full_status();
  EXPECT_EQ(decode_pipeline_run_status(encode_pipeline_run_status(status)), status);
  EXPECT_EQ(decode_pipeline_run_status(Json()), PipelineRunStatus{});
}

TEST(PipelineRunStatus, EveryPhaseAndClassGoesToJsonAndBack) {
  auto status = full_status();
  for (const auto phase : {RunPhase::Pending, RunPhase::Queued, RunPhase::Running,
                           RunPhase::Succeeded, RunPhase::Failed, RunPhase::Cancelled}) {
    status.phase = phase;
    EXPECT_EQ(decode_pipeline_run_status(encode_pipeline_run_status(status)).phase, phase);
  }
  for (const auto phase : {StagePhase::Waiting, StagePhase::Running, StagePhase::Succeeded,
                           StagePhase::Failed, StagePhase::Skipped, StagePhase::Cancelled}) {
    status.stages[0].phase = phase;
    EXPECT_EQ(decode_pipeline_run_status(encode_pipeline_run_status(status)), status);
  }
  for (const auto failure : kFailureClasses) {
    status.stages[0].failure = failure;
    EXPECT_EQ(decode_pipeline_run_status(encode_pipeline_run_status(status)), status);
  }
}

TEST(PipelineRunStatus, AForeignOneIsReadAsFarAsItGoes) {
  const auto status = decode_pipeline_run_status(Json::parse(
      R"({"phase": "Dancing", "stages": [{"name": "a", "attempt": "x", "phase": 7}, {}, 1],
          "started": "yesterday"})"));
  EXPECT_EQ(status.phase, RunPhase::Pending);
  ASSERT_EQ(status.stages.size(), 1U);
  EXPECT_EQ(status.stages[0], (StageStatus{"a", ""}));
  EXPECT_FALSE(status.started);
}

TEST(PipelineRunStatus, TheLargestFitsTheBudget) {
  auto status = full_status();
  auto stage = status.stages[0];
  stage.results.clear();  // bounded for a run as a whole, as reports are
  stage.reports.clear();
  stage.reused_from.clear();
  stage.message = "step test failed with exit code 1";
  status.stages.assign(kMaxInstances, stage);
  EXPECT_LT(dump_json(encode_pipeline_run_status(status)).size(), 80U * 1024);
}

TEST(PipelineRunMeta, NameMustFitALabel) {
  const Json object{{"metadata", {{"name", "Shop_1"}, {"namespace", "n"}}},
                    {"spec", {{"pipelineRef", {{"name", "shop"}}}}}};
  const auto run = decode_pipeline_run(object);
  ASSERT_TRUE(run);
  ASSERT_FALSE(run->spec);
  EXPECT_EQ(run->spec.error().message.find("metadata.name: found \"Shop_1\", must be"), 0U);
}

TEST(JobView, ToldByItsConditions) {
  const auto job = decode_job(Json::parse(R"({"metadata": {"name": "j", "namespace": "n"},
      "spec": {"suspend": true}, "status": {"active": 1, "terminating": 2, "conditions": [
        {"type": "FailureTarget", "status": "True", "reason": "X"},
        {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "m",
         "lastTransitionTime": "2026-01-01T00:00:00Z"},
        {"type": "Complete", "status": "False"}]}})"));
  ASSERT_TRUE(job);
  EXPECT_TRUE(job->suspended);
  EXPECT_EQ(job->active, 1);
  EXPECT_EQ(job->terminating, 2);
  EXPECT_TRUE(job->failed);
  EXPECT_FALSE(job->completed);
  EXPECT_EQ(job->reason, "BackoffLimitExceeded");
  EXPECT_TRUE(job->is_quiet());
  JobView view;
  EXPECT_FALSE(view.is_quiet());
  view.suspended = true;
  EXPECT_TRUE(view.is_quiet());
  view.terminating = 1;
  EXPECT_FALSE(view.is_quiet());
}

TEST(StagePodView, HasAllContainersInitFirst) {
  const auto pod = decode_stage_pod(Json::parse(R"({"metadata": {"name": "p", "namespace": "n"},
      "status": {"phase": "Pending", "conditions": [
          {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}],
        "containerStatuses": [{"name": "weir-end",
          "state": {"waiting": {"reason": "PodInitializing"}}}],
        "initContainerStatuses": [
          {"name": "weir-helper", "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}},
          {"name": "step-a", "state": {"terminated": {"exitCode": 7, "reason": "Error",
            "message": "m", "startedAt": "1970-01-01T00:00:00Z",
            "finishedAt": "2026-01-01T00:00:09Z"}}},
          {"name": "step-b", "state": {"waiting": {"reason": "ErrImagePull",
            "message": "get \"https://r/x?token=secret\" failed"}}}]}})"));
  ASSERT_TRUE(pod);
  EXPECT_EQ(pod->disruption, "EvictionByEvictionAPI");
  ASSERT_EQ(pod->containers.size(), 4U);
  EXPECT_EQ(pod->containers[0].state, ContainerView::State::Running);
  EXPECT_EQ(pod->containers[1].exit_code, 7);
  EXPECT_FALSE(pod->containers[1].started);
  EXPECT_EQ(pod->containers[2].message, "get \"https://r/x?\" failed");
  EXPECT_EQ(pod->containers[3].name, "weir-end");
}

}  // namespace
}  // namespace weir
