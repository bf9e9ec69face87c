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
