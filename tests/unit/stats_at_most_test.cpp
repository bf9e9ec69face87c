#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "stats/at_most.h"

namespace weir {
namespace {

AtMost above(double bound) { return AtMost::create(bound, AtMost::Claim::Above).value(); }
AtMost below(double bound) { return AtMost::create(bound, AtMost::Claim::Below).value(); }

TEST(AtMost, SeesARateAboveTheBound) {
  auto test = above(0.05), other = below(0.05);
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(test.add({2, 10}));
    ASSERT_TRUE(other.add({2, 10}));
  }
  EXPECT_GT(test.evidence(), 100);
  EXPECT_LT(other.evidence(), 2);
}

TEST(AtMost, SeesARateBelowTheBound) {
  auto test = above(0.05), other = below(0.05);
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(test.add({0, 10}));
    ASSERT_TRUE(other.add({0, 10}));
  }
  EXPECT_LT(test.evidence(), 2);
  EXPECT_GT(other.evidence(), 100);
}

TEST(AtMost, ARegressionAfterALongGoodTimeIsSeenSoon) {
  auto test = above(0.05);
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(test.add({1, 100}));
  int samples = 0;
  for (; test.evidence() < 100 && samples < 100; ++samples) ASSERT_TRUE(test.add({25, 100}));
  EXPECT_LE(samples, 3);
}

TEST(AtMost, OneBadRequestOfOneIsNoBreach) {
  auto test = above(0.05);
  ASSERT_TRUE(test.add({1, 1}));
  EXPECT_GT(test.evidence(), 1);
  EXPECT_LT(test.evidence(), 20);
}

TEST(AtMost, RefusesBadInputAndStaysAsItWas) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  auto test = above(0.05);
  for (const Counts counts : {Counts{2, 1}, {-1, 1}, {0, -1}, {nan, 1}, {0, nan}, {1e16, 1e16}})
    EXPECT_FALSE(test.add(counts)) << counts.bad << " of " << counts.total;
  EXPECT_FALSE(test.add({1, 1}, 0));
  EXPECT_DOUBLE_EQ(test.evidence(), 1);
}

TEST(AtMost, RefusesBoundsThatAreNone) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double bound : {0.0, 1.0, -0.1, 2.0, nan})
    EXPECT_FALSE(AtMost::create(bound, AtMost::Claim::Above)) << bound;
}

TEST(AtMost, StaysFiniteForHugeCountsAndTinyBounds) {
  auto test = above(1e-9);
  ASSERT_TRUE(test.add({1e12, 1e15}));
  ASSERT_TRUE(test.add({0, 1e15}));
  ASSERT_TRUE(test.add({1e12, 1e12}));
  EXPECT_TRUE(std::isfinite(test.evidence()));
  EXPECT_GT(test.evidence(), 100);
}

}  // namespace
}  // namespace weir
