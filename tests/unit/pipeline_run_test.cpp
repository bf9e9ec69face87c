#include <gtest/gtest.h>

#include "unit/pipeline_scene.h"

namespace weir::pipeline_test {
namespace {

using std::chrono::minutes;

Json unit_with(const std::string& more) { return Json{{"stages", {stage("unit", more)}}}; }

Json chain() {
  return Json{{"stages",
               {stage("lint"), stage("unit", R"({"needs": ["lint"]})"), stage("docs"),
                stage("image", R"({"needs": ["unit"]})")}},
              {"finally", Json::array({stage("report")})}};
}

TEST(PipelineRunCourse, StagesBeginWhenWhatTheyNeedHasSucceeded) {
  World world(chain());
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.phases(), "lint:Running unit:Waiting docs:Running image:Waiting report:Waiting ");
  EXPECT_EQ(world.run.status.message, "0 of 5 stages have ended; running: lint, docs");
  EXPECT_EQ(world.status("unit").message, "waits for lint");
  world.pass("lint");
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.phase("unit"), "Running");
  world.pass_all();
  ASSERT_TRUE(world.settle());
  world.pass("image");
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.run.status.phase, RunPhase::Finishing);
  EXPECT_EQ(world.phase("report"), "Running");
  world.pass("report");
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.run.status.phase, RunPhase::Succeeded);
  EXPECT_EQ(world.run.status.conditions.at(0).status, "True");
  EXPECT_TRUE(world.run.status.ended);
  EXPECT_EQ(world.jobs.size(), 5U);
  EXPECT_EQ(world.events, (std::vector<std::string>{"Started", "Succeeded"}));
  EXPECT_TRUE(world.decide().actions.empty());
}

TEST(PipelineRunCourse, AFailedStageStopsOnlyWhatNeedsIt) {
  World world(chain());
  world.settle();
  world.fail("lint", 7);
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.phases(), "lint:Failed unit:Skipped docs:Running image:Skipped report:Waiting ");
  EXPECT_EQ(world.status("unit").message, "lint failed");
  EXPECT_EQ(world.status("image").message, "unit was skipped");
  world.pass("docs");
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.phase("report"), "Running");
  const auto& env = world.bodies.at(world.job("report").meta.key.name);
  EXPECT_NE(dump_json(env).find(R"({"name":"WEIR_OUTCOME","value":"Failed"})"), std::string::npos);
  world.pass("report");
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.run.status.phase, RunPhase::Failed);
  EXPECT_EQ(world.run.status.reason, "StageFailed");
  EXPECT_EQ(world.run.status.message, "lint: step do failed with exit code 7");
  EXPECT_EQ(world.status("lint").failure, FailureClass::Test);
}

TEST(PipelineRunCourse, ResultsFlowToWhoUsesThem) {
  World world(Json{{"stages",
                    {stage("build", R"({"results": [{"name": "digest"}]})"),
                     stage("push", R"j({"env": [{"name": "D",
                               "value": "v=$(stages.build.results.digest)"}]})j")}}});
  world.settle();
  EXPECT_EQ(world.phase("push"), "Waiting");
  world.pass("build", R"({"results": {"digest": "sha256:$1", "secret": "x"}})");
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.status("build").results,
            (std::map<std::string, std::string>{{"digest", "sha256:$1"}}));
  const auto text = dump_json(world.bodies.at(world.job("push").meta.key.name));
  EXPECT_NE(text.find(R"({"name":"D","value":"v=sha256:$$1"})"), std::string::npos) << text;
}

TEST(PipelineRunCourse, AResultThatIsMissingFailsWhoUsesIt) {
  World world(Json{{"stages",
                    {stage("build", R"({"results": [{"name": "digest"}]})"),
                     stage("push", R"j({"env": [{"name": "D",
                               "value": "$(stages.build.results.digest)"}]})j")}}});
  world.settle();
  world.pass("build");
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.phase("push"), "Failed");
  EXPECT_EQ(world.status("push").failure, FailureClass::Config);
  EXPECT_EQ(world.status("push").message,
            "stage push: env[name=D].value: found $(stages.build.results.digest), which has "
            "no value here");
  EXPECT_EQ(world.run.status.phase, RunPhase::Failed);
}

TEST(PipelineRunCourse, AResultOverTheLimitFailsItsStage) {
  World world(Json{{"stages", {stage("build", R"({"results": [{"name": "digest"}]})")}}});
  world.settle();
  world.pass("build", Json{{"results", {{"digest", std::string(1025, 'x')}}}}.dump());
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.run.status.message,
            "build: result digest: found 1025 bytes, must be at most 1024");
}

TEST(PipelineRunCourse, OnlyTheNamedClassesAreTriedAgain) {
  World world(unit_with(R"({"retry": {"attempts": 3, "classes": ["Test"]}})"));
  world.settle();
  world.fail("unit");
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.status("unit").attempt, 2);
  EXPECT_EQ(world.status("unit").failures, 1);
  EXPECT_EQ(world.phase("unit"), "Running");
  world.fail("unit", 137, "OOMKilled");
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.phase("unit"), "Failed");
  EXPECT_EQ(world.status("unit").failure, FailureClass::OutOfMemory);
  EXPECT_EQ(world.jobs.size(), 2U);
}

TEST(PipelineRunCourse, AttemptsAreUsedUp) {
  World world(unit_with(R"({"retry": {"attempts": 2, "classes": ["Test"]}})"));
  world.settle();
  for (int i = 0; i < 2; ++i) {
    world.fail("unit");
    ASSERT_TRUE(world.settle());
  }
  EXPECT_EQ(world.phase("unit"), "Failed");
  EXPECT_EQ(world.status("unit").failures, 2);
  EXPECT_EQ(world.jobs.size(), 2U);
}

TEST(PipelineRunCourse, TheInfrastructureUsesUpNoRetryAndIsWaitedFor) {
  World world(unit_with(R"({"retry": {"attempts": 2, "classes": ["Test"]}})"));
  world.settle();
  for (int lost = 1; lost <= 3; ++lost) {
    world.lose("unit");
    ASSERT_TRUE(world.settle());
    EXPECT_EQ(world.phase("unit"), "Waiting");
    EXPECT_EQ(world.status("unit").failures, 0);
    EXPECT_EQ(world.status("unit").lost, lost);
    const auto again = world.status("unit").retry_at;
    ASSERT_TRUE(again);
    EXPECT_EQ(*again - world.now, seconds(10) * (1 << (lost - 1)));
    EXPECT_EQ(world.decide().look_again, again);
    world.now = *again;
    ASSERT_TRUE(world.settle());
    EXPECT_EQ(world.phase("unit"), "Running");
  }
  world.fail("unit");
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.phase("unit"), "Running");
  world.pass("unit");
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.run.status.phase, RunPhase::Succeeded);
}

TEST(PipelineRunCourse, TheInfrastructureHasNoEndlessCredit) {
  World world(Json{{"stages", {stage("unit")}}});
  world.settle();
  for (int lost = 1; lost <= 5; ++lost) {
    world.lose("unit");
    world.settle();
    world.now += minutes(5);
    world.settle();
  }
  EXPECT_EQ(world.run.status.phase, RunPhase::Failed);
  EXPECT_EQ(world.run.status.message,
            "unit: its pod was taken away (BackoffLimitExceeded); that was the 5th time");
}

TEST(PipelineRunCourse, WhatIsNotRestartableIsLeftToAPerson) {
  World world(Json{{"stages", {stage("deploy", R"({"restartable": false})")}}});
  world.settle();
  world.lose("deploy");
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.run.status.phase, RunPhase::Failed);
  EXPECT_EQ(world.status("deploy").failure, FailureClass::Infrastructure);
  EXPECT_NE(world.run.status.message.find("restartable is false"), std::string::npos);
  EXPECT_EQ(world.jobs.size(), 1U);
}

TEST(PipelineRunCourse, ADeletedJobIsAnAttemptThatTheInfrastructureEnded) {
  World world(Json{{"stages", {stage("unit")}}});
  world.settle();
  StagePodView pod;
  pod.meta.labels = world.job("unit").meta.labels;
  world.pods["p"] = pod;
  world.jobs.clear();
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.status("unit").message, "its Job was deleted; its pod is ending");
  world.pods.clear();
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.status("unit").lost, 1);
  world.now += seconds(10);
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.status("unit").attempt, 2);
}

// Found by the simulator: the pod's event came after that of its Job's deletion.
TEST(PipelineRunCourse, APodThatWasNotKnownWhenItsJobWasDeletedIsWaitedForToo) {
  World world(Json{{"stages", {stage("unit")}}});
  world.settle();
  StagePodView pod;
  pod.meta.labels = world.job("unit").meta.labels;
  world.jobs.clear();
  ASSERT_TRUE(world.settle());
  world.pods["p"] = pod;
  world.now += seconds(10);
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.status("unit").attempt, 1);
  world.pods["p"].failed = true;
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.status("unit").attempt, 2);
}

TEST(PipelineRunCourse, CancelStopsWhatRunsAndBeginsNothing) {
  World world(chain());
  world.settle();
  world.pass("lint", R"({"results": {}})");
  world.settle();
  world.run.spec->desired_state = DesiredState::Cancelled;
  const auto plan = world.decide();
  ASSERT_GE(plan.actions.size(), 2U);
  EXPECT_TRUE(std::holds_alternative<PatchStatus>(plan.actions[0])) << "written down first";
  EXPECT_TRUE(std::holds_alternative<PatchObject>(plan.actions[1]));
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.phases(),
            "lint:Succeeded unit:Cancelled docs:Cancelled image:Cancelled report:Cancelled ");
  EXPECT_EQ(world.run.status.phase, RunPhase::Cancelled);
  EXPECT_EQ(world.run.status.reason, "Cancelled");
  EXPECT_EQ(world.jobs.size(), 3U);
  EXPECT_EQ(world.live_jobs(), 0U);
}

TEST(PipelineRunCourse, CancelIsNotTakenBack) {
  World world(chain());
  world.settle();
  world.run.spec->desired_state = DesiredState::Cancelled;
  world.act(world.decide().actions.at(0));
  world.run.spec->desired_state = DesiredState::Running;
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.run.status.phase, RunPhase::Cancelled);
}

TEST(PipelineRunCourse, AStageThatPassedBeforeItCouldBeStoppedHasPassed) {
  World world(Json{{"stages", {stage("unit")}}});
  world.settle();
  world.run.spec->desired_state = DesiredState::Cancelled;
  world.act(world.decide().actions.at(0));
  EXPECT_EQ(world.phase("unit"), "Stopping");
  world.pass("unit");
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.run.status.phase, RunPhase::Succeeded);
}

TEST(PipelineRunCourse, AGracefulStopLetsStagesEndAndRunsFinally) {
  World world(chain());
  world.settle();
  world.run.spec->desired_state = DesiredState::Stopped;
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.phases(),
            "lint:Running unit:Cancelled docs:Running image:Cancelled report:Waiting ");
  world.pass_all();
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.phases(),
            "lint:Succeeded unit:Cancelled docs:Succeeded image:Cancelled report:Running ");
  world.pass("report");
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.run.status.phase, RunPhase::Cancelled);
  EXPECT_EQ(world.run.status.reason, "Stopped");
}

TEST(PipelineRunCourse, ARunThatTakesTooLongIsStoppedAndFinallyRuns) {
  auto spec = chain();
  spec["timeout"] = "10m";
  World world(spec);
  world.settle();
  EXPECT_EQ(world.decide().look_again, world.now + minutes(10));
  world.now += minutes(10);
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.phases(),
            "lint:Cancelled unit:Cancelled docs:Cancelled image:Cancelled report:Running ");
  world.now += minutes(1);
  world.pass("report");
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.run.status.phase, RunPhase::Failed);
  EXPECT_EQ(world.run.status.reason, "TimedOut");
  EXPECT_EQ(world.run.status.message, "did not end within 10m");
}

TEST(PipelineRunCourse, AStageThatTakesTooLongIsStopped) {
  World world(Json{{"stages", {stage("unit", R"({"timeout": "1m"})")}}});
  world.settle();
  world.now += minutes(1);
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.live_jobs(), 0U);
  EXPECT_EQ(world.status("unit").failure, FailureClass::Timeout);
  EXPECT_EQ(world.run.status.phase, RunPhase::Failed);
}

TEST(PipelineRunCourse, AMatrixRunsAsManyAtOnceAsItMay) {
  World world(Json{{"stages",
                    {stage("unit", R"({"matrix": {"maxParallel": 2,
      "axes": [{"name": "py", "values": ["1", "2", "3"]}]}})"),
                     stage("next", R"({"needs": ["unit"]})")}}});
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.phases(),
            "unit(py=1):Running unit(py=2):Running unit(py=3):Waiting next:Waiting ");
  EXPECT_NE(world.status("unit", "py=1").job, world.status("unit", "py=2").job);
  auto& first = world.jobs.at(world.status("unit", "py=1").job);
  world.end(first, 0, "Completed", "");
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.phase("unit", "py=3"), "Running");
  world.pass_all();
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.phase("next"), "Running");
}

TEST(PipelineRunCourse, TheFirstFailureOfAMatrixStopsTheOthers) {
  World world(Json{{"stages", {stage("unit", R"({"matrix": {"maxParallel": 2,
      "axes": [{"name": "py", "values": ["1", "2", "3"]}]}})")}}});
  world.settle();
  world.end(world.jobs.at(world.status("unit", "py=2").job), 1, "Error", "");
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.phases(), "unit(py=1):Cancelled unit(py=2):Failed unit(py=3):Cancelled ");
  EXPECT_EQ(world.run.status.phase, RunPhase::Failed);
  EXPECT_EQ(world.live_jobs(), 0U);
}

TEST(PipelineRunCourse, WithoutFailFastTheOthersGoOn) {
  World world(Json{{"stages", {stage("unit", R"({"matrix": {"failFast": false,
      "axes": [{"name": "py", "values": ["1", "2"]}]}})")}}});
  world.settle();
  world.end(world.jobs.at(world.status("unit", "py=2").job), 1, "Error", "");
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.phases(), "unit(py=1):Running unit(py=2):Failed ");
}

TEST(PipelineRunCourse, WhenItDoesNotHoldOnlyUsersOfResultsAreSkipped) {
  World world(
      Json{{"params", Json::array({Json{{"name", "env"}, {"default", "dev"}}})},
           {"stages",
            {stage("gate", R"j({"results": [{"name": "x"}], "when": [{"input": "$(params.env)",
             "operator": "In", "values": ["prod"]}]})j"),
             stage("after", R"({"needs": ["gate"]})"),
             stage("user", R"j({"env": [{"name": "X", "value": "$(stages.gate.results.x)"}]})j"),
             stage("last", R"({"needs": ["user"]})")}}});
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.phases(), "gate:Skipped after:Running user:Skipped last:Skipped ");
  EXPECT_EQ(world.status("gate").message, "when: $(params.env) is \"dev\"");
  EXPECT_EQ(world.status("user").message, "gate was skipped, and this one uses it");
  world.pass("after");
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.run.status.phase, RunPhase::Succeeded);
}

TEST(PipelineRunCourse, ARerunTakesOverWhatHasNotChanged) {
  World before(chain());
  before.settle();
  before.pass("lint");
  before.settle();
  before.pass("docs");
  before.fail("unit");
  before.settle();
  before.pass("report");
  before.settle();
  ASSERT_EQ(before.run.status.phase, RunPhase::Failed);

  World world(chain());
  world.run.meta.key.name = "shop-2";
  world.run.meta.uid = "uid-2";
  world.run.spec->rerun_of = "shop-1";
  world.others = {std::make_shared<PipelineRun>(before.run)};
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.phases(),
            "lint:Succeeded unit:Running docs:Succeeded image:Waiting report:Waiting ");
  EXPECT_EQ(world.status("lint").reused_from, "shop-1");
  EXPECT_EQ(world.jobs.size(), 1U);

  World changed(chain());
  changed.run = world.run;
  changed.run.status = {};
  auto spec = chain();
  spec["params"] = Json::parse(R"([{"name": "level", "default": "debug"}])");
  changed.set_pipeline(spec);
  changed.others = world.others;
  ASSERT_TRUE(changed.settle());
  EXPECT_EQ(changed.phase("lint"), "Running");
}

TEST(PipelineRunCourse, ARunKeepsTheSpecItBeganWith) {
  World world(chain());
  world.settle();
  world.set_pipeline(Json{{"stages", {stage("other")}}});
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.run.status.stages.size(), 5U);
  world.kept.clear();
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.run.status.reason, "SpecLost");
  EXPECT_EQ(world.live_jobs(), 0U);
}

TEST(PipelineRunCourse, ALostStatusIsMadeAgainFromJobs) {
  World world(unit_with(R"({"retry": {"attempts": 2, "classes": ["Test"]}})"));
  world.settle();
  world.fail("unit");
  world.settle();
  world.run.status = {};
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.status("unit").attempt, 2);
  EXPECT_EQ(world.phase("unit"), "Running");
  world.fail("unit");
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.run.status.phase, RunPhase::Failed);
  EXPECT_EQ(world.jobs.size(), 2U);
}

TEST(PipelineRunCourse, BadInputStartsNothingAndIsNamed) {
  World world(Json{{"stages", {stage("a", R"({"needs": ["b"]})")}}});
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.run.status.reason, "InvalidPipeline");
  EXPECT_EQ(world.run.status.message,
            "Pipeline shop: spec.stages[0].needs: found [\"b\"], must be names of stages; b is "
            "none");
  World run(chain());
  run.run.spec->params["x"] = "y";
  ASSERT_TRUE(run.settle());
  EXPECT_EQ(run.run.status.reason, "InvalidRun");
  EXPECT_TRUE(run.jobs.empty() && run.kept.empty());
  EXPECT_EQ(run.run.status.conditions.at(0).status, "False");
}

TEST(PipelineRunCourse, AMissingPipelineIsWaitedFor) {
  World world(chain());
  const auto pipeline = world.pipeline;
  world.pipeline = nullptr;
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.run.status.phase, RunPhase::Pending);
  EXPECT_EQ(world.run.status.message, "there is no Pipeline shop");
  World late = world;
  late.now += minutes(5);
  ASSERT_TRUE(late.settle());
  EXPECT_EQ(late.run.status.reason, "PipelineNotFound");
  world.pipeline = pipeline;
  ASSERT_TRUE(world.settle());
  EXPECT_EQ(world.run.status.phase, RunPhase::Running);
}

TEST(PipelineRunCourse, AJobThatTheServerRefuses) {
  World world(Json{{"stages", {stage("unit")}}});
  world.act(world.decide().actions.at(0));
  world.act(world.decide().actions.at(0));
  const auto plan = world.decide();
  const auto name = std::get<CreateObject>(plan.actions.at(0)).key.name;
  const Error quota{ErrorKind::Forbidden, "create Job ci/" + name + ": exceeded quota"};
  const auto later = world.decide(&quota);
  EXPECT_EQ(later.look_again, world.now + seconds(10));
  for (const auto& action : later.actions) world.act(action);
  EXPECT_EQ(world.phase("unit"), "Waiting");
  EXPECT_NE(world.status("unit").message.find("exceeded quota"), std::string::npos);
  const Error invalid{ErrorKind::Invalid, "create Job ci/" + name + ": spec.x: bad"};
  for (const auto& action : world.decide(&invalid).actions) world.act(action);
  EXPECT_EQ(world.phase("unit"), "Failed");
  EXPECT_EQ(world.status("unit").failure, FailureClass::Config);
}

// One story with a retry, a lost pod, a matrix, a failure and finally; it dies after `writes` writes and begins anew, again and again.
std::string end_of_story(int writes, std::size_t& all_writes) {
  World world(Json{{"stages",
                    {stage("lint", R"({"retry": {"attempts": 2, "classes": ["Test"]}})"),
                     stage("unit", R"({"needs": ["lint"], "matrix": {"axes": [
                     {"name": "py", "values": ["1", "2"]}]}})"),
                     stage("image", R"({"needs": ["unit"]})")}},
                   {"finally", Json::array({stage("report")})}});
  const auto settle = [&] {
    all_writes += 1;
    while (!world.settle(writes)) all_writes += 1;
  };
  settle();
  world.fail("lint");
  settle();
  world.pass("lint");
  settle();
  world.pass_all();
  settle();
  world.lose("image");
  settle();
  world.now += seconds(10);
  settle();
  world.fail("image", 3);
  settle();
  world.pass_all();
  settle();
  EXPECT_EQ(world.live_jobs(), 0U);
  return world.phases() + std::string(to_string(world.run.status.phase)) + " " +
         std::to_string(world.jobs.size()) + " " + std::to_string(world.status("lint").failures) +
         std::to_string(world.status("image").lost);
}

TEST(PipelineRunCourse, ADeathAfterAnyWriteRepeatsNothing) {
  std::size_t passes = 0;
  const auto calm = end_of_story(1000, passes);
  EXPECT_EQ(calm,
            "lint:Succeeded unit(py=1):Succeeded unit(py=2):Succeeded image:Failed "
            "report:Succeeded Failed 7 11");
  for (int writes = 1; writes <= 6; ++writes) {
    std::size_t count = 0;
    EXPECT_EQ(end_of_story(writes, count), calm) << writes;
  }
}

constexpr const char* kCommit = "0123456789abcdef0123456789abcdef01234567";

Json with_source(const std::string& more = "{}") {
  return Json{{"source", {{"git", {{"url", "https://git/shop.git"}}}}},
              {"stages", {stage("unit", more)}}};
}

TEST(RunOfASource, NeedsItsCommitAndAWeirThatCanFetchIt) {
  World world(with_source());
  world.settle();
  EXPECT_EQ(world.run.status.reason, "InvalidRun");
  EXPECT_NE(world.run.status.message.find("spec.commit: missing"), std::string::npos);
  EXPECT_TRUE(world.jobs.empty());

  World without(with_source());
  without.run.spec->commit = kCommit;
  without.settings.checkout_image.clear();
  without.settle();
  EXPECT_EQ(without.run.status.reason, "NoCheckout");
  EXPECT_TRUE(without.jobs.empty());

  World none(Json{{"stages", {stage("unit")}}});
  none.run.spec->commit = kCommit;
  none.settle();
  EXPECT_NE(none.run.status.message.find("has no source"), std::string::npos);
}

TEST(RunOfASource, ACommitThatIsNotThereIsAFaultOfTheRunAndAServerThatIsAwayIsNot) {
  World world(with_source(R"({"retry": {"attempts": 3, "classes": ["Test"]}})"));
  world.run.spec->commit = kCommit;
  world.settle();
  world.fail_in("unit", "weir-checkout", 1);
  world.settle();
  EXPECT_EQ(world.status("unit").lost, 1);
  EXPECT_EQ(world.status("unit").failures, 0);
  world.now += seconds(60);
  world.settle();
  world.fail_in("unit", "weir-checkout", 65);
  world.settle();
  EXPECT_EQ(world.run.status.phase, RunPhase::Failed);
  EXPECT_EQ(world.run.status.message, "unit: spec.commit: the source has no such commit");
  EXPECT_EQ(world.status("unit").failure, FailureClass::Config);
}

// ---- reports ----

constexpr const char* kReports =
    R"({"reports":[{"name":"tests","figures":{"tests":"41","failures":"2"},
  "failed":["a.test_b","a.test_c"]},{"name":"load","figures":{"p99_ms":"31"}}]})";

// `bound`: of load, as JSON.
Json with_reports(const std::string& bound = "") {
  return Json{{"stages",
               {stage("unit", R"({"reports":[{"name":"tests","kind":"JUnit","path":"unit.xml"},
                 {"name":"load","kind":"Figures","path":"load.txt","bounds":[)" +
                                  bound + "]}]}")}}};
}

TEST(Reports, StandInStatusAndTellWhichTestsFailed) {
  World world(with_reports());
  world.settle();
  world.end(world.job("unit"), 1, "Error", kReports);
  world.settle();
  const auto& status = world.status("unit");
  EXPECT_EQ(status.phase, StagePhase::Failed);
  EXPECT_EQ(status.message, "step do failed with exit code 1; failed: a.test_b, a.test_c");
  ASSERT_EQ(status.reports.size(), 2U);
  EXPECT_EQ(status.reports[0].figures.at("failures"), 2);
  const auto read = decode_pipeline_run_status(encode_pipeline_run_status(world.run.status));
  EXPECT_EQ(read.stages[0].reports, status.reports);
}

TEST(Reports, ABoundThatIsBrokenFailsTheStage) {
  const auto message_with = [](const std::string& bound) {
    World world(with_reports(bound));
    world.settle();
    world.pass("unit", kReports);
    world.settle();
    const auto& status = world.status("unit");
    EXPECT_EQ(status.failure.has_value(), status.phase == StagePhase::Failed);
    return status.message;
  };
  EXPECT_EQ(message_with(R"({"figure":"p99_ms","atMost":"31"})"), "");
  EXPECT_EQ(message_with(R"({"figure":"p99_ms","atMost":"30"})"),
            "report load: p99_ms is 31, must be at most 30");
  EXPECT_EQ(message_with(R"({"figure":"p99_ms","atLeast":"31.5"})"),
            "report load: p99_ms is 31, must be at least 31.5");
  EXPECT_EQ(message_with(R"({"figure":"p50_ms","atLeast":"1"})"), "report load: it has no p50_ms");
}

TEST(Reports, ABoundOfAReportThatNobodyWroteIsBroken) {
  World world(with_reports(R"({"figure":"p99_ms","atMost":"20"})"));
  world.settle();
  world.pass("unit");
  world.settle();
  EXPECT_EQ(world.status("unit").message, "report load: $REPORTS/load.txt was not written");
}

// Twenty names of 160 bytes in each of eight combinations are more than a run has room for.
TEST(Reports, WhatHasNoRoomIsSaid) {
  std::string failed;
  for (int i = 0; i < 20; ++i)
    failed += (i == 0 ? "\"" : ",\"") + std::string(160, static_cast<char>('a' + i)) + "\"";
  const auto reports =
      R"({"reports":[{"name":"tests","figures":{"tests":"20"},"failed":[)" + failed + "]}]}";
  World world(
      Json{{"stages",
            {stage("unit",
                   R"({"matrix":{"axes":[{"name":"n","values":["1","2","3","4","5","6","7","8"]}]},
         "reports":[{"name":"tests","kind":"JUnit","path":"unit.xml"}]})")}}});
  world.settle();
  for (auto& [name, job] : world.jobs) world.end(job, 0, "Completed", reports);
  world.settle();
  std::size_t named = 0;
  for (const auto& status : world.run.status.stages) {
    EXPECT_EQ(status.phase, StagePhase::Succeeded);
    ASSERT_EQ(status.reports.size(), 1U);
    EXPECT_EQ(status.reports[0].figures.at("tests"), 20);
    named += status.reports[0].failed.size();
  }
  EXPECT_EQ(named, 80U);
}

TEST(RunOfASource, AnImageWithoutTheCheckoutIsNotTriedAgain) {
  World world(with_source());
  world.run.spec->commit = kCommit;
  world.settle();
  world.end(world.job("unit"), 127, "Error", R"({"class":"Config","error":"no such program"})",
            "weir-checkout");
  world.settle();
  EXPECT_EQ(world.status("unit").failure, FailureClass::Config);
  EXPECT_EQ(world.run.status.message, "unit: the source could not be fetched: no such program");
}

}  // namespace
}  // namespace weir::pipeline_test
