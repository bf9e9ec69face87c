// Releases with nothing to find: what is taken back is a false rollback.
#include <gtest/gtest.h>

#include "base/log.h"
#include "sim/healthy.h"
#include "sim/search.h"

namespace weir::sim {
namespace {

class HealthySeeds : public ::testing::Test {
 protected:
  HealthySeeds() {
    set_log_sink([](LogLevel, std::string_view) {});
  }
  ~HealthySeeds() override { set_log_sink({}); }
};

// A few of them; `weir sim --healthy 1..1000` runs more.
TEST_F(HealthySeeds, AreReleasedAndCounted) {
  const auto report = sweep_healthy({1, 8, 1});
  EXPECT_EQ(report.runs, 8);
  EXPECT_GE(report.released, 4);
  EXPECT_TRUE(report.keeps_bound());
  for (const auto& finding : report.findings)
    ADD_FAILURE() << finding.replay << ": " << finding.result.violations.front().what;
}

TEST_F(HealthySeeds, TellTheSameStoryEachTime) {
  auto options = options_of_healthy_seed(3);
  options.traced = true;
  const auto once = simulate(options);
  EXPECT_GT(once.trace.size(), 10U);
  EXPECT_EQ(once.trace, simulate(options).trace);
}

TEST_F(HealthySeeds, AreJudgedByAllSortsOfBoundsThatTheyKeep) {
  int compared = 0;
  int bounded = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const auto options = options_of_healthy_seed(seed);
    EXPECT_GE(options.world.good_rate, 0.0005) << seed;
    EXPECT_LE(options.world.good_rate, 0.05) << seed;
    EXPECT_TRUE(options.policy.compares || !options.policy.at_most.empty()) << seed;
    compared += options.policy.compares ? 1 : 0;
    bounded += options.policy.at_most.empty() ? 0 : 1;
  }
  EXPECT_GT(compared, 70);
  EXPECT_LT(compared, 100);
  EXPECT_GT(bounded, 30);
  EXPECT_LT(bounded, 100);
}

TEST(HealthyReport, KeepsTheBoundUntilMoreAreTakenBackThanChanceExplains) {
  HealthyReport report;
  report.allowed = 0.01;
  report.least = 0.0099;
  EXPECT_TRUE(report.keeps_bound());
  report.least = 0.0101;
  EXPECT_FALSE(report.keeps_bound());
}

}  // namespace
}  // namespace weir::sim
