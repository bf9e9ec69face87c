// The simulator's runs.
#include <gtest/gtest.h>

#include "base/log.h"
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

}  // namespace
}  // namespace weir::sim
