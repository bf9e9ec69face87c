#include <gtest/gtest.h>

#include "cli/pipeline_runs.h"
#include "unit/cli_test_support.h"

namespace weir::cli_test {
namespace {

const WallTime kNow{seconds(1'700'000'000)};

PipelineRun failed_run() {
  PipelineRun run;
  run.meta.key = {"ci", "shop-1"};
  run.status.phase = RunPhase::Failed;
  run.status.message = "unit (python=3.11): step test failed with exit code 1";
  run.status.started = kNow;
  run.status.ended = kNow + seconds(75);
  StageStatus build{"build", "", StagePhase::Succeeded};
  build.started = kNow;
  build.ended = kNow + seconds(5);
  build.results = {{"version", "1.2"}};
  StageStatus unit{"unit", "python=3.11", StagePhase::Failed};
  unit.started = kNow + seconds(5);
  unit.attempt = 2;
  unit.message = "step test failed with exit code 1";
  StageStatus reused{"docs", "", StagePhase::Succeeded};
  reused.reused_from = "shop-0";
  run.status.stages = {build, unit, reused, StageStatus{"image", ""}};
  return run;
}

TEST(PipelineRunsOfPeople, ATreeHasStagesTimesAndResults) {
  EXPECT_EQ(
      run_tree(failed_run(), kNow + seconds(65)),
      "shop-1  Failed  1m15s  unit (python=3.11): step test failed with exit code 1\n"
      "  build               Succeeded      5s\n"
      "                        version = 1.2\n"
      "  unit (python=3.11)  Failed         1m  attempt 2  step test failed with exit code 1\n"
      "  docs                Succeeded          taken over from shop-0\n"
      "  image               Waiting\n");
}

TEST(PipelineRunsOfPeople, ExitCodesTellHowARunEnded) {
  auto run = failed_run();
  EXPECT_EQ(outcome_of(run), exit_code::kFailed);
  run.status.phase = RunPhase::Cancelled;
  EXPECT_EQ(outcome_of(run), exit_code::kRolledBack);
  run.status.phase = RunPhase::Finishing;
  EXPECT_EQ(outcome_of(run), std::nullopt);
}

TEST(PipelineRunsOfPeople, AWordThatIsNoParameterIsRefusedBeforeAnythingIsAsked) {
  const auto ran = run({"run", "shop", "level"});
  EXPECT_EQ(ran.code, exit_code::kUsage);
  EXPECT_NE(ran.err.find("level: a parameter is given as NAME=VALUE"), std::string::npos);
}

}  // namespace
}  // namespace weir::cli_test
