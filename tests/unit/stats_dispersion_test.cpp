#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "stats/dispersion.h"

namespace weir {
namespace {

double poisson(double mean, std::mt19937_64& engine) {
  return std::poisson_distribution<int>(mean)(engine);
}

TEST(Dispersion, IsOneForIndependentErrors) {
  std::mt19937_64 engine(1);
  Dispersion dispersion;
  EXPECT_DOUBLE_EQ(dispersion.value(), 1);
  for (int minute = 0; minute < 1440; ++minute) {
    ASSERT_TRUE(dispersion.add({poisson(15, engine), 3000}, 60));
    ASSERT_DOUBLE_EQ(dispersion.value(), 1) << minute;
  }
}

TEST(Dispersion, IsOneForARateThatFollowsTheTimeOfDay) {
  std::mt19937_64 engine(1);
  Dispersion dispersion;
  for (int minute = 0; minute < 1440; ++minute) {
    const double load = 1 + 0.5 * std::sin(minute * 2 * 3.14159 / 1440);
    ASSERT_TRUE(dispersion.add({poisson(15 * load * load, engine), 3000 * load}, 60));
  }
  EXPECT_DOUBLE_EQ(dispersion.value(), 1);
}

TEST(Dispersion, SeesClusters) {
  std::mt19937_64 engine(1);
  Dispersion dispersion;
  for (int minute = 0; minute < 240; ++minute)
    ASSERT_TRUE(dispersion.add({20 * poisson(0.5, engine), 3000}, 60));
  EXPECT_GT(dispersion.value(), 20);
  EXPECT_LT(dispersion.value(), 100);
}

TEST(Dispersion, SeesBurstsThatAreLongerThanABlock) {
  std::mt19937_64 engine(1);
  Dispersion dispersion;
  for (int minute = 0; minute < 480; ++minute) {
    const bool burst = minute % 48 < 4;
    ASSERT_TRUE(dispersion.add({poisson(burst ? 30 : 1, engine), 3000}, 60));
  }
  EXPECT_GT(dispersion.value(), 30);
}

TEST(Dispersion, ShortSamplesMakeABlockTogether) {
  Dispersion seconds, minutes;
  for (int minute = 0; minute < 20; ++minute) {
    const double bad = minute % 7 == 0 ? 60 : 0;
    for (int i = 0; i < 60; ++i) ASSERT_TRUE(seconds.add({bad / 60, 10}, 1));
    ASSERT_TRUE(minutes.add({bad, 600}, 60));
  }
  EXPECT_GT(minutes.value(), 1);
  EXPECT_NEAR(seconds.value(), minutes.value(), 1e-6);
}

TEST(Dispersion, RefusesBadInput) {
  Dispersion dispersion;
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_FALSE(dispersion.add({2, 1}, 60));
  EXPECT_FALSE(dispersion.add({0, -1}, 60));
  for (const double seconds : {0.0, -1.0, infinity, std::nan("")})
    EXPECT_FALSE(dispersion.add({0, 1}, seconds)) << seconds;
  EXPECT_DOUBLE_EQ(dispersion.value(), 1);
}

TEST(Dispersion, EmptyAndHugeBlocksDoNoHarm) {
  Dispersion dispersion;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(dispersion.add({0, 0}, 60));
    ASSERT_TRUE(dispersion.add({1e12, 1e12}, 60));
    ASSERT_TRUE(dispersion.add({5, 1e15}, 1e9));
  }
  EXPECT_TRUE(std::isfinite(dispersion.value()));
  EXPECT_GE(dispersion.value(), 1);
}

}  // namespace
}  // namespace weir
