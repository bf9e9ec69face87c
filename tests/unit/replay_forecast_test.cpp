#include <gtest/gtest.h>

#include <cmath>

#include "delivery/judge.h"
#include "replay/forecast.h"
#include "replay/objectives.h"
#include "unit/replay_test_support.h"

namespace weir::replay_test {
namespace {

ForecastInput input(double per_second, double error_rate) {
  ForecastInput result{per_second, error_rate};
  result.runs = 40;
  return result;
}

std::string why(const CanaryPolicySpec& policy, const ForecastInput& given) {
  const auto told = forecast(policy, given);
  return told ? "" : told.error().message;
}

bool has_warning(const Forecast& told, const std::string& part) {
  for (const auto& warning : told.warnings)
    if (warning.find(part) != std::string::npos) return true;
  return false;
}

TEST(Forecast, TheWorseTheFasterItIsFound) {
  const auto told = forecast(usual_policy(), input(200, 0.01));
  ASSERT_TRUE(told);
  ASSERT_EQ(told->steps.size(), 4U);
  const auto& first = told->steps[0];
  ASSERT_EQ(first.regressions.size(), 3U);
  ASSERT_TRUE(first.regressions[1].seconds && first.regressions[2].seconds);
  EXPECT_LT(*first.regressions[2].seconds, *first.regressions[1].seconds);
  EXPECT_GE(*first.regressions[2].seconds, 10);  // warm-up
  EXPECT_DOUBLE_EQ(first.regressions[2].found, 1);
  EXPECT_GT(first.regressions[2].hurt, 0);
  ASSERT_TRUE(first.smallest && told->steps[1].smallest);
  EXPECT_LT(*told->steps[1].smallest, *first.smallest);  // more requests at 25 percent
  EXPECT_NEAR(first.canary_requests, 60 * 200 * 0.05, 1);
  EXPECT_NEAR(told->seconds_to_promotion.value_or(0), 240, 1e-6);
  EXPECT_EQ(told->awaiting, 0);
}

TEST(Forecast, TheSameWordsGiveTheSameFigures) {
  const auto one = forecast(usual_policy(), input(100, 0.01));
  const auto two = forecast(usual_policy(), input(100, 0.01));
  ASSERT_TRUE(one && two);
  for (std::size_t i = 0; i < one->steps.size(); ++i) {
    EXPECT_EQ(one->steps[i].smallest, two->steps[i].smallest);
    EXPECT_EQ(one->steps[i].regressions[0].hurt, two->steps[i].regressions[0].hurt);
  }
}

// What is called found at 90 percent is found in about 90 percent.
TEST(Forecast, TheSmallestRegressionIsWhatItIsCalled) {
  auto policy = usual_policy();
  policy.objectives = {errors(std::nullopt, StableMargin{})};
  const auto told = forecast(policy, input(100, 0.01));
  ASSERT_TRUE(told && told->steps[1].smallest);
  auto again = input(100, 0.01);
  again.factors = {*told->steps[1].smallest, *told->steps[1].smallest * 0.6};
  const auto checked = forecast(policy, again);
  ASSERT_TRUE(checked);
  EXPECT_GE(checked->steps[1].regressions[0].found_here, 0.85);
  EXPECT_LT(checked->steps[1].regressions[1].found_here, 0.85);
}

// Without the past that a real service has, a few minutes of stable look like bursts in one of 25 releases, which are then judged slowly.
TEST(Forecast, ARehearsedServiceHasAPast) {
  auto policy = usual_policy();
  for (auto& step : policy.steps) step.hold = seconds(120);
  auto given = input(50, 0.005);
  given.runs = 100;
  const auto told = forecast(policy, given);
  ASSERT_TRUE(told);
  EXPECT_GE(told->steps[2].regressions[2].found_here, 0.99);
}

// By hand: at 50 percent of 50 a second for about as long as the median, nine times 0.5 percent more of them bad.
TEST(Forecast, UsersHurtAreThoseOfTheTimeUntilTheRollback) {
  auto policy = usual_policy();
  policy.steps = {{50, seconds(600)}, {100, seconds(60)}};
  policy.objectives = {errors(std::nullopt, StableMargin{})};
  const auto told = forecast(policy, input(50, 0.005));
  ASSERT_TRUE(told && told->steps[0].regressions[2].seconds);
  const auto& ten = told->steps[0].regressions[2];
  EXPECT_NEAR(ten.hurt, *ten.seconds * 50 * 0.5 * 0.005 * 9, 0.25 * ten.hurt);
}

TEST(Forecast, WhatThePolicyAllowsIsNoRegression) {
  auto policy = usual_policy();
  policy.objectives = {errors(0.05, std::nullopt)};
  const auto told = forecast(policy, input(100, 0.01));
  ASSERT_TRUE(told);
  EXPECT_FALSE(told->steps[0].regressions[0].is_breach);
  EXPECT_FALSE(told->steps[0].regressions[1].is_breach);  // 5 percent is allowed
  EXPECT_TRUE(told->steps[0].regressions[2].is_breach);
  EXPECT_DOUBLE_EQ(told->steps[0].regressions[0].found, 0);
}

TEST(Forecast, AShareAboveOneIsNotRehearsed) {
  const auto told = forecast(usual_policy(), input(100, 0.3));
  ASSERT_TRUE(told);
  ASSERT_EQ(told->steps[0].regressions.size(), 1U);
  EXPECT_DOUBLE_EQ(told->steps[0].regressions[0].factor, 2);
}

TEST(Forecast, WarnsWhereNothingCanBeSeen) {
  const auto few = forecast(usual_policy(), input(0.05, 0.001));
  ASSERT_TRUE(few);
  EXPECT_FALSE(few->steps[0].smallest);
  EXPECT_TRUE(has_warning(*few, " requests of the canary are too few to see anything"));
  auto hasty = usual_policy();
  hasty.steps[0].hold = seconds(12);
  const auto told = forecast(hasty, input(100, 0.01));
  ASSERT_TRUE(told);
  EXPECT_TRUE(has_warning(*told, "5 %: the hold is over before a sample is judged"));
}

TEST(Forecast, ThatOnlyComparesIsNotJudgedAlone) {
  auto policy = usual_policy();
  policy.objectives = {errors(std::nullopt, StableMargin{})};
  const auto told = forecast(policy, input(100, 0.01));
  ASSERT_TRUE(told);
  EXPECT_TRUE(told->steps[2].judged);
  EXPECT_FALSE(told->steps[3].judged);
  EXPECT_FALSE(told->steps[3].smallest);
}

TEST(Forecast, AReleaseThatMustPassAndCannotWaitsForAPerson) {
  auto policy = usual_policy();
  policy.objectives[0].on_unsure = WhenUnsure::Hold;
  const auto told = forecast(policy, input(100, 0.01));
  ASSERT_TRUE(told);
  EXPECT_GT(told->awaiting, 30);
  EXPECT_FALSE(told->seconds_to_promotion);
  EXPECT_TRUE(has_warning(*told, "healthy releases wait for a person"));
}

TEST(Forecast, ALongWatchIsRehearsedForAnHour) {
  auto policy = usual_policy();
  policy.watch = std::chrono::hours(24);
  policy.judge.interval = seconds(30);
  const auto told = forecast(policy, input(20, 0.01));
  ASSERT_TRUE(told);
  EXPECT_TRUE(has_warning(*told, "first hour"));
}

TEST(Forecast, RefusesWhatMakesNoSense) {
  const auto policy = usual_policy();
  for (const double wrong : {0.0, -1.0, double{NAN}, double{INFINITY}, 1e9})
    EXPECT_NE(why(policy, input(wrong, 0.01)).find("requests per second: found"),
              std::string::npos);
  for (const double wrong : {0.0, -0.1, 1.0, 1.5, double{NAN}, double{INFINITY}})
    EXPECT_NE(why(policy, input(10, wrong)).find("error rate: found"), std::string::npos);
  auto few = input(10, 0.01);
  few.runs = 0;
  EXPECT_EQ(why(policy, few), "runs: found 0, must be 20 to 10000");
  auto odd = input(10, 0.01);
  odd.factors = {0.5};
  EXPECT_EQ(why(policy, odd), "factor: found 0.5, must be above 1, at most 1000");
  auto other = input(10, 0.01);
  other.objective = "lag";
  EXPECT_EQ(why(policy, other),
            "objective: found \"lag\", must be one of the ratio objectives: errors");
  auto endless = policy;
  endless.steps[0].hold = std::chrono::hours(999);
  EXPECT_NE(why(endless, input(10, 0.01)).find("samples long, at most 20000"), std::string::npos);
  auto warns = policy;
  warns.objectives[0].severity = Severity::Warning;
  EXPECT_NE(why(warns, input(10, 0.01)).find("no Critical ratio objective"), std::string::npos);
}

TEST(Objectives, ThatAreLeftOutStillTakeTheirShareOfTheFalseRollbacks) {
  auto policy = usual_policy();
  auto slow = errors(0.1, StableMargin{});
  slow.name = "slow";
  policy.objectives.push_back(slow);
  const auto one = with_objectives(policy, {"errors"});
  ASSERT_EQ(one.objectives.size(), 1U);
  EXPECT_DOUBLE_EQ(needed_evidence(one), needed_evidence(policy));
  EXPECT_DOUBLE_EQ(needed_evidence(policy), 400);
}

}  // namespace
}  // namespace weir::replay_test
