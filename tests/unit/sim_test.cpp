// The simulator: its runs, and that its parts are honest.
#include <gtest/gtest.h>

#include "base/json.h"
#include "base/log.h"
#include "kube/kinds.h"
#include "sim/run.h"

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
    const auto run = run_seed(seed);
    for (const auto& violation : run.violations)
      ADD_FAILURE() << "weir sim --seeds " << seed << " --trace: " << violation.rule << ": "
                    << violation.what;
  }
}

TEST_F(Simulator, TheSameSeedTellsTheSameStory) {
  const auto once = run_seed(5);
  EXPECT_GT(once.trace.size(), 20U);
  EXPECT_EQ(once.trace, run_seed(5).trace);
  EXPECT_NE(once.trace, run_seed(6).trace);
}

// ---- the checks can fail ----

class CheckedWorld : public ::testing::Test {
 protected:
  CheckedWorld()
      : server_(clock_), world_(server_, clock_, {}), checks_(world_, clock_, policy()) {}

  static CanaryPolicySpec policy() {
    CanaryPolicySpec policy;
    policy.steps = {{5, seconds(5)}, {50, seconds(5)}, {100, seconds(0)}};
    return policy;
  }

  static Json route(const std::string& memo, int stable, int canary) {
    const Json refs = Json::array(
        {{{"name", "shop-v1"}, {"weight", stable}}, {{"name", "shop-v2"}, {"weight", canary}}});
    return Json{{"metadata", {{"annotations", {{"weir.dev/traffic", memo}}}}},
                {"spec", {{"rules", Json::array({{{"backendRefs", refs}}})}}}};
  }

  std::string rule_after(const Json& before, const Json& after) {
    checks_.on_write({"httproutes", kShop}, before, after, true);
    return checks_.violations().empty() ? "" : checks_.violations().front().rule;
  }

  SimClock clock_;
  ApiServer server_;
  World world_;
  Checks checks_;
};

TEST_F(CheckedWorld, SeesWeightsThatDoNotSumTo100) {
  EXPECT_EQ(rule_after(Json(), route(R"({"stable":"v1"})", 90, 0)), "weights sum to 100");
}

TEST_F(CheckedWorld, SeesASkippedStep) {
  EXPECT_EQ(rule_after(route(R"({"stable":"v1","canary":"v2","weight":0})", 100, 0),
                       route(R"({"stable":"v1","canary":"v2","weight":50})", 50, 50)),
            "no step is skipped");
}

TEST_F(CheckedWorld, SeesAStepThatWasNotHeld) {
  EXPECT_EQ(rule_after(route(R"({"stable":"v1","canary":"v2","weight":5})", 95, 5),
                       route(R"({"stable":"v1","canary":"v2","weight":50})", 50, 50)),
            "every step is held");
}

TEST_F(CheckedWorld, SeesTrafficForARevisionThatWasTakenBack) {
  const auto serving = route(R"({"stable":"v1","canary":"v2","weight":5})", 95, 5);
  const auto taken_back = route(R"({"stable":"v1","rollback":{"revision":"v2","reason":"r",)"
                                R"("message":"m","at":"2026-01-01T00:00:00Z"}})",
                                100, 0);
  EXPECT_EQ(rule_after(serving, taken_back), "");
  EXPECT_EQ(rule_after(taken_back, serving), "a rolled-back revision gets no traffic");
}

TEST_F(CheckedWorld, SeesAnOrphan) {
  checks_.on_write({"services", kShop}, Json(), Json{{"spec", {{"a", 1}}}}, true);
  EXPECT_EQ(checks_.violations().at(0).rule, "no child without owner");
}

}  // namespace
}  // namespace weir::sim
