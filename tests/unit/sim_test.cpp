// The simulator's runs.
#include <gtest/gtest.h>

#include "base/log.h"
#include "sim/scenarios.h"
#include "sim/simulation.h"

namespace weir::sim {
namespace {

class Simulator : public ::testing::Test {
 protected:
  Simulator() {
    set_log_sink([](LogLevel, std::string_view) {});
  }
  ~Simulator() override { set_log_sink({}); }
};

// Of a named scenario, without faults.
void expect_end(const std::string& name, const std::string& end) {
  const auto run = simulate(find_scenario(name)->options);
  for (const auto& violation : run.violations)
    ADD_FAILURE() << name << ": " << violation.rule << ": " << violation.what;
  EXPECT_EQ(run.end, std::vector<std::string>{end}) << name;
}

// A few of them, everywhere and under the sanitizers; `weir sim --seeds 1..1000` runs more.
TEST_F(Simulator, NoRuleIsViolatedUnderFaults) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const auto run = run_seed({seed});
    for (const auto& violation : run.violations)
      ADD_FAILURE() << "weir sim --seeds " << seed << " --trace: " << violation.rule << ": "
                    << violation.what;
  }
}

TEST_F(Simulator, TheSameSeedTellsTheSameStory) {
  const auto once = run_seed({5, true});
  EXPECT_GT(once.trace.size(), 20U);
  EXPECT_EQ(once.trace, run_seed({5, true}).trace);
  EXPECT_NE(once.trace, run_seed({6, true}).trace);
}

TEST_F(Simulator, NoRuleOfPipelinesIsViolatedUnderFaults) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SeedRequest request{seed};
    request.pipelines = true;
    for (const auto& violation : run_seed(request).violations)
      ADD_FAILURE() << "weir sim --pipelines " << seed << " --trace: " << violation.rule << ": "
                    << violation.what;
  }
}

TEST_F(Simulator, RunsOfPipelinesComeToTheirEnds) {
  const std::pair<std::string, std::string> cases[] = {
      {"pipeline-good",
       "one: Succeeded ; build  Succeeded{digest=build}; test os=a Succeeded; test os=b "
       "Succeeded; ship  Succeeded"},
      {"pipeline-failing-with-finally",
       "one: Failed StageFailed; build  Failed; lint  Succeeded; ship  Skipped; tidy  Succeeded"},
      {"pipeline-retry",
       "one: Failed StageFailed; build  Succeeded{digest=build}; hog  Failed; ship  Succeeded"},
      {"pipeline-timeout", "one: Failed StageFailed; step  Failed; pod  Failed"},
      {"pipeline-cancelled-midway", "one: was told to end, and has"},
      {"pipeline-job-deleted", "one: Succeeded ; build  Succeeded; test  Succeeded"},
  };
  for (const auto& [name, end] : cases) expect_end(name, end);
}

TEST_F(Simulator, ADeploymentIsAdoptedReleasedAndGivenBack) {
  const std::string serves =
      "wanted 100 %, others 0 %, 4 pods of wanted, 0 others with pods, callers to wanted";
  const std::string callers = " of 1 ReplicaSets, callers by {\"app\":\"shop\"}";
  const auto given_back = [&](const std::string& how) {
    return "shop: gone; its Deployment " + how + ", 4 of 4 pods" + callers;
  };
  const std::pair<std::string, std::string> cases[] = {
      {"adopt", "shop (good): Healthy: " + serves},
      {"adopt-then-canary", "shop (good): Healthy: " + serves},
      {"adopt-deployment-edited-midway", "shop (good): Healthy: " + serves},
      {"adopt-by-pods", "shop (good): Healthy: " + serves},
      {"adopt-by-pods-given-back-midway", given_back("paused")},
      {"adopt-given-back", given_back("running")},
      {"adopt-given-back-at-once", given_back("running")},
      {"adopt-given-back-midway", given_back("paused")},
      {"adopt-given-back-later", given_back("running")},
      {"adopt-pruned", given_back("running")},
  };
  for (const auto& [name, end] : cases) expect_end(name, end);
}

// A good one is released when the outage is over, a bad one taken back; the worse one though it keeps its bound.
TEST_F(Simulator, ACanaryIsHeldAgainstWhatStableSuffers) {
  const std::string serves =
      "Healthy: wanted 100 %, others 0 %, 4 pods of wanted, 0 others with pods, callers to wanted";
  const std::string taken_back =
      "RolledBack: others 100 %, no pods of wanted, 1 others with pods, callers to "
      "another";
  expect_end("outage-midway", "shop (good): " + serves);
  expect_end("outage-before", "shop (good): " + serves);
  expect_end("bad-in-an-outage", "shop (bad): " + taken_back);
  expect_end("worse-than-stable", "shop (worse): " + taken_back);
}

}  // namespace
}  // namespace weir::sim
