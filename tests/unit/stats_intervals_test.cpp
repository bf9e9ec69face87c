#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "stats/intervals.h"

namespace weir {
namespace {

TEST(RateInterval, HoldsTheObservedRateAndNarrows) {
  const auto few = rate_interval({1, 20}, 0.05).value();
  const auto many = rate_interval({1000, 20000}, 0.05).value();
  EXPECT_LT(few.low, 0.05);
  EXPECT_GT(few.high, 0.05);
  EXPECT_LT(many.high - many.low, (few.high - few.low) / 10);
}

TEST(RateInterval, WithoutRequestsIsEverything) {
  const auto interval = rate_interval({0, 0}, 0.05).value();
  EXPECT_DOUBLE_EQ(interval.low, 0);
  EXPECT_DOUBLE_EQ(interval.high, 1);
}

TEST(RateInterval, IsWiderWhenErrorsCluster) {
  const auto independent = rate_interval({50, 1000}, 0.05).value();
  const auto clustered = rate_interval({50, 1000}, 0.05, 10).value();
  EXPECT_LT(clustered.low, independent.low);
  EXPECT_GT(clustered.high, independent.high);
}

TEST(RateInterval, RefusesBadInput) {
  EXPECT_FALSE(rate_interval({2, 1}, 0.05));
  EXPECT_FALSE(rate_interval({1, 2}, 0.05, 0.5));
  for (const double alpha : {0.0, 1.0, -1.0, std::nan("")})
    EXPECT_FALSE(rate_interval({1, 2}, alpha)) << alpha;
}

TEST(RateInterval, HugeCountsStayInOrder) {
  const auto interval = rate_interval({1e9, 1e12}, 0.01).value();
  EXPECT_NEAR(interval.low, 1e-3, 1e-6);
  EXPECT_NEAR(interval.high, 1e-3, 1e-6);
  EXPECT_LE(interval.low, interval.high);
}

// R: binom.test(hits, trials)$conf.int[1], whose 95 % from two sides are 97.5 % from one.
TEST(LeastChance, IsThatOfClopperAndPearson) {
  EXPECT_NEAR(least_chance(10, 100, 0.025).value(), 0.04900469, 1e-8);
  EXPECT_NEAR(least_chance(5, 10, 0.025).value(), 0.1870860, 1e-7);
}

// 1 - (1 - p)^n and p^n are the chances of at least one hit and of hits alone.
TEST(LeastChance, AgreesWithClosedForms) {
  for (const int trials : {1, 7, 1000}) {
    EXPECT_NEAR(least_chance(1, trials, 0.001).value(), -std::expm1(std::log1p(-0.001) / trials),
                1e-12);
    EXPECT_NEAR(least_chance(trials, trials, 0.001).value(), std::pow(0.001, 1.0 / trials), 1e-12);
    EXPECT_EQ(least_chance(0, trials, 0.001).value(), 0);
  }
  EXPECT_EQ(least_chance(0, 0, 0.001).value(), 0);
}

// The chance of at least so many hits, added up term by term, is alpha there.
TEST(LeastChance, IsWhereSoManyHitsHaveTheChanceAlpha) {
  const double chance = least_chance(22, 1000, 0.001).value();
  double below = 0;
  double term = std::pow(1 - chance, 1000);
  for (int k = 0; k < 22; ++k) {
    below += term;
    term *= (1000.0 - k) / (k + 1) * chance / (1 - chance);
  }
  EXPECT_NEAR(1 - below, 0.001, 1e-9);
}

TEST(LeastChance, CanBeToldOfMillions) {
  EXPECT_NEAR(least_chance(100'000, 10'000'000, 0.001).value(), 0.0099029, 1e-6);
}

TEST(LeastChance, RefusesBadInput) {
  EXPECT_FALSE(least_chance(-1, 10, 0.001));
  EXPECT_FALSE(least_chance(11, 10, 0.001));
  EXPECT_FALSE(least_chance(0, -1, 0.001));
  EXPECT_FALSE(least_chance(0, 10'000'001, 0.001));
  for (const double alpha : {0.0, 1.0, std::nan("")}) EXPECT_FALSE(least_chance(1, 2, alpha));
}

TEST(RatioInterval, WithoutErrorsIsEverything) {
  RatioInterval ratio;
  ASSERT_TRUE(ratio.add({0, 100}, {0, 100}));
  const auto interval = ratio.interval(0.05).value();
  EXPECT_DOUBLE_EQ(interval.low, 0);
  EXPECT_TRUE(std::isinf(interval.high));
}

TEST(RatioInterval, FindsTheRatioWhileTheRatesChange) {
  RatioInterval ratio;
  for (int i = 1; i <= 50; ++i) ASSERT_TRUE(ratio.add({6.0 * i, 1e4}, {2.0 * i, 1e4}));
  const auto interval = ratio.interval(0.05).value();
  EXPECT_GT(interval.low, 2.3);
  EXPECT_LT(interval.high, 3.7);
}

TEST(RatioInterval, CanaryAloneBadHasNoUpperEnd) {
  RatioInterval ratio;
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(ratio.add({5, 100}, {0, 100}));
  const auto interval = ratio.interval(0.05).value();
  EXPECT_GT(interval.low, 2);
  EXPECT_TRUE(std::isinf(interval.high));
}

TEST(RatioInterval, RefusesBadInput) {
  RatioInterval ratio;
  EXPECT_FALSE(ratio.add({2, 1}, {0, 1}));
  EXPECT_FALSE(ratio.add({0, 1}, {2, 1}));
  EXPECT_FALSE(ratio.add({1, 1}, {1, 1}, std::nan("")));
  EXPECT_FALSE(ratio.interval(0));
}

// Looked at after every sample, the truth (3 times) is ever outside in at most 5 % of the runs: 5 + 4 standard deviations.
TEST(RatioInterval, KeepsItsPromiseWhenLookedAtAfterEverySample) {
  std::mt19937_64 engine(1);
  std::poisson_distribution<int> canary(0.6), stable(0.4);
  int outside = 0;
  for (int run = 0; run < 500; ++run) {
    RatioInterval ratio;
    bool missed = false;
    for (int i = 0; i < 100 && !missed; ++i) {
      const double c = canary(engine), s = stable(engine);
      ASSERT_TRUE(ratio.add({c, 100}, {s, 200}));
      const auto interval = ratio.interval(0.05).value();
      missed = interval.low > 3 || interval.high < 3;
    }
    outside += missed ? 1 : 0;
  }
  EXPECT_LE(outside, 45);
}

}  // namespace
}  // namespace weir
