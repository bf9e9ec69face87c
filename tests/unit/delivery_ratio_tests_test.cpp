#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "delivery/ratio_tests.h"

namespace weir::test {
namespace {

RatioObjective bounded(std::optional<double> at_most, std::optional<StableMargin> margin) {
  return {{"bad", "", "total"}, std::nullopt, at_most, margin};
}

const RatioObjective kBoth = bounded(0.05, StableMargin{1.5, 0.001});

TEST(RatioTests, BeginWithoutEvidence) {
  const RatioTests tests(kBoth);
  EXPECT_DOUBLE_EQ(tests.above(), 1);
  EXPECT_DOUBLE_EQ(tests.worse(), 1);
  EXPECT_FALSE(tests.both_break());
  EXPECT_EQ(tests.interval({}), "");
}

TEST(RatioTests, ABoundThatIsNotGivenHasNoEvidence) {
  RatioTests tests(bounded(0.05, std::nullopt));
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(tests.add({{50, 100}, Counts{0, 1000}, 1}));
  EXPECT_GT(tests.above(), 1000);
  EXPECT_DOUBLE_EQ(tests.worse(), 1);
}

TEST(RatioTests, ACanaryThatIsWorseThanStableIsFoundThoughItKeepsTheBound) {
  RatioTests tests(kBoth);
  for (int i = 0; i < 60; ++i) EXPECT_TRUE(tests.add({{4, 100}, Counts{5, 1000}, 1}));
  EXPECT_LT(tests.above(), 20);
  EXPECT_GT(tests.worse(), 1000);
}

TEST(RatioTests, WhatStableSuffersFromAsWellIsNoEvidence) {
  RatioTests tests(kBoth);
  for (int i = 0; i < 60; ++i) EXPECT_TRUE(tests.add({{30, 100}, Counts{300, 1000}, 1}));
  EXPECT_DOUBLE_EQ(tests.above(), 1);
  EXPECT_LT(tests.worse(), 2);
  EXPECT_TRUE(tests.both_break());
}

TEST(RatioTests, AnOutageOfBothIsNotHeldAgainstTheCanaryAfterwards) {
  RatioTests tests(kBoth);
  for (int i = 0; i < 60; ++i) EXPECT_TRUE(tests.add({{0, 100}, Counts{1, 1000}, 1}));
  for (int i = 0; i < 60; ++i) EXPECT_TRUE(tests.add({{30, 100}, Counts{300, 1000}, 1}));
  for (int i = 0; i < 600; ++i) EXPECT_TRUE(tests.add({{0, 100}, Counts{1, 1000}, 1}));
  EXPECT_LT(tests.above(), 2);
  EXPECT_LT(tests.worse(), 2);
  EXPECT_FALSE(tests.both_break());
}

TEST(RatioTests, TheFixDoesNotBreakWhatStableBreaks) {
  RatioTests tests(kBoth);
  for (int i = 0; i < 60; ++i) EXPECT_TRUE(tests.add({{0, 100}, Counts{300, 1000}, 1}));
  EXPECT_FALSE(tests.both_break());
  EXPECT_GT(tests.below(), 1000);
}

TEST(RatioTests, ACanaryThatIsAloneIsStillHeldAgainstTheBound) {
  RatioTests tests(kBoth);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(tests.add({{30, 100}, std::nullopt, 1}));
  EXPECT_GT(tests.above(), 1000);
  EXPECT_FALSE(tests.both_break());
}

RatioObjective early(RatioObjective objective) {
  objective.may_end_early = true;
  return objective;
}

TEST(RatioTests, OneWeightAloneShowsThatTheBoundsAreKept) {
  RatioTests tests(early(kBoth));
  EXPECT_FALSE(tests.kept_here(true, 20));
  for (int i = 0; i < 600; ++i) EXPECT_TRUE(tests.add({{0, 100}, Counts{3, 1000}, 1}));
  EXPECT_TRUE(tests.kept_here(true, 20));
  tests.begin_step();
  EXPECT_FALSE(tests.kept_here(true, 20));
  EXPECT_FALSE(tests.kept_here(false, 20));
  EXPECT_GT(tests.no_worse(), 20);
}

TEST(RatioTests, NothingIsShownOfStableWhereItHasNoRequests) {
  RatioTests tests(early(kBoth));
  for (int i = 0; i < 600; ++i) EXPECT_TRUE(tests.add({{0, 100}, std::nullopt, 1}));
  EXPECT_FALSE(tests.kept_here(true, 20));
  EXPECT_TRUE(tests.kept_here(false, 20));
  RatioTests only_compares(early(bounded(std::nullopt, StableMargin{1.5, 0.001})));
  for (int i = 0; i < 600; ++i) EXPECT_TRUE(only_compares.add({{0, 100}, std::nullopt, 1}));
  EXPECT_FALSE(only_compares.kept_here(false, 20));
}

TEST(RatioTests, AnAnywayEqualCanaryAtTheBoundIsRarelyShownToBeKept) {
  SeededRandom random(7);
  int shown = 0;
  for (int run = 0; run < 200; ++run) {
    RatioTests tests(early(bounded(0.05, std::nullopt)));
    for (int i = 0; i < 200 && !tests.kept_here(false, 20); ++i) {
      int bad = 0;
      for (int request = 0; request < 20; ++request) bad += random.uniform() < 0.05 ? 1 : 0;
      EXPECT_TRUE(tests.add({{1.0 * bad, 20}, std::nullopt, 1}));
    }
    shown += tests.kept_here(false, 20) ? 1 : 0;
  }
  EXPECT_LE(shown, 200 * 0.05);
}

TEST(RatioTests, WhoMayNotEndEarlyIsNotAsked) {
  RatioTests tests(kBoth);
  for (int i = 0; i < 600; ++i) EXPECT_TRUE(tests.add({{0, 100}, Counts{3, 1000}, 1}));
  EXPECT_FALSE(tests.kept_here(true, 20));
}

TEST(RatioTests, InvalidCountsChangeNothing) {
  RatioTests tests(kBoth);
  EXPECT_FALSE(tests.add({{5, 1}, std::nullopt, 1}));
  EXPECT_FALSE(tests.add({{1, 5}, Counts{-1, 5}, 1}));
  EXPECT_FALSE(tests.add({{1, NAN}, std::nullopt, 1}));
  EXPECT_EQ(tests.checkpoint(), RatioTests(kBoth).checkpoint());
}

TEST(RatioTests, GoOnFromTheirCheckpoint) {
  RatioTests tests(kBoth);
  for (int i = 0; i < 30; ++i) EXPECT_TRUE(tests.add({{4, 100}, Counts{8, 1000}, 1}));
  tests.begin_step();
  RatioTests again(kBoth);
  ASSERT_TRUE(again.recall(tests.checkpoint()));
  EXPECT_NEAR(again.worse() / tests.worse(), 1, 1e-5);
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(tests.add({{6, 100}, Counts{8, 1000}, 1}));
    EXPECT_TRUE(again.add({{6, 100}, Counts{8, 1000}, 1}));
  }
  EXPECT_NEAR(again.worse() / tests.worse(), 1, 1e-5);
  EXPECT_NEAR(again.above() / tests.above(), 1, 1e-5);
  EXPECT_LT(tests.checkpoint().size(), 4096U);
}

TEST(RatioTests, ACheckpointOfOthersIsRefusedAndChangesNothing) {
  const auto fresh = RatioTests(kBoth).checkpoint();
  auto negative = fresh;
  negative.replace(negative.find("above 1 "), 8, "above 1 -");
  for (const auto& text :
       {std::string(), std::string("bursts"), std::string("bursts 0.5"), std::string("bursts 1"),
        RatioTests(bounded(0.05, std::nullopt)).checkpoint(), fresh.substr(0, fresh.size() - 2),
        "bursts nan" + fresh.substr(8), negative}) {
    RatioTests tests(kBoth);
    EXPECT_FALSE(tests.recall(text)) << text;
    EXPECT_EQ(tests.checkpoint(), fresh);
  }
}

TEST(RatioTests, TellPeopleWhereTheTruthIs) {
  RatioTests tests(kBoth);
  for (int i = 0; i < 60; ++i) EXPECT_TRUE(tests.add({{4, 100}, Counts{10, 1000}, 1}));
  const auto text = tests.interval({240, 6000});
  EXPECT_NE(text.find("% to "), std::string::npos) << text;
  EXPECT_NE(text.find(" times stable's"), std::string::npos) << text;
}

// The union of both tests, as the operator looks at them: after every sample, over steps.
TEST(RatioTests, HealthyReleasesAreRarelyFoundGuilty) {
  SeededRandom random(7);
  int guilty = 0;
  constexpr int kReleases = 400;
  for (int release = 0; release < kReleases; ++release) {
    RatioTests tests(bounded(0.05, StableMargin{}));
    bool found = false;
    for (int sample = 0; sample < 240 && !found; ++sample) {
      if (sample % 80 == 0) tests.begin_step();
      Counts canary{0, 10};
      Counts stable{0, 90};
      for (int i = 0; i < 10; ++i) canary.bad += random.uniform() < 0.02 ? 1 : 0;
      for (int i = 0; i < 90; ++i) stable.bad += random.uniform() < 0.02 ? 1 : 0;
      ASSERT_TRUE(tests.add({canary, stable, 5}));
      found = tests.above() >= 200 || tests.worse() >= 200;
    }
    guilty += found ? 1 : 0;
  }
  EXPECT_LE(guilty, 10);  // 4 is what 1 % allows; more than 10 has a chance of 0.3 %
}

}  // namespace
}  // namespace weir::test
