#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "stats/versus_stable.h"

namespace weir {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

VersusStable worse(Margin margin = {}) {
  return VersusStable::create(margin, Claim::Worse).value();
}

VersusStable not_worse(Margin margin) {
  return VersusStable::create(margin, Claim::NotWorse).value();
}

TEST(VersusStable, BeginsWithoutEvidence) { EXPECT_DOUBLE_EQ(worse().evidence(), 1); }

TEST(VersusStable, SeesACanaryThatIsTenTimesAsBad) {
  auto test = worse();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(test.add({5, 100}, {5, 1000}));
  EXPECT_GT(test.evidence(), 100);
}

TEST(VersusStable, SeesNothingInEqualRates) {
  auto test = worse();
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(test.add({1, 100}, {9, 900}));
  EXPECT_LT(test.evidence(), 2);
}

TEST(VersusStable, AnOutageOfBothIsNoRegression) {
  auto test = worse();
  ASSERT_TRUE(test.add({0, 100}, {0, 900}));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(test.add({100, 100}, {900, 900}));
  EXPECT_LT(test.evidence(), 2);
}

TEST(VersusStable, ErrorsOfStableAloneSayNothingAgainstTheCanary) {
  auto test = worse();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(test.add({0, 100}, {100, 900}));
  EXPECT_LT(test.evidence(), 2);
}

// The first errors of a canary are found although stable has had none yet.
TEST(VersusStable, NeedsNoErrorOfStable) {
  auto test = worse();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(test.add({2, 50}, {0, 950}));
  EXPECT_GT(test.evidence(), 100);
}

TEST(VersusStable, WithoutTrafficOnOneSideThereIsNoEvidence) {
  for (const auto claim : {Claim::Worse, Claim::NotWorse})
    for (const Margin margin : {Margin{1, 0}, Margin{1.5, 0.001}}) {
      auto test = VersusStable::create(margin, claim).value();
      for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(test.add({50, 100}, {0, 0}));
        ASSERT_TRUE(test.add({0, 0}, {50, 100}));
        ASSERT_TRUE(test.add({0, 0}, {0, 0}));
      }
      EXPECT_LT(test.evidence(), 1.5);
    }
}

TEST(VersusStable, SamplesWithoutBadRequestsAreSummedUpToTheNextOne) {
  auto parts = worse(), whole = worse();
  for (int i = 0; i < 9; ++i) ASSERT_TRUE(parts.add({0, 10}, {0, 30}));
  ASSERT_TRUE(parts.add({3, 10}, {1, 30}));
  ASSERT_TRUE(whole.add({3, 100}, {1, 300}));
  EXPECT_DOUBLE_EQ(parts.evidence(), whole.evidence());
}

TEST(VersusStable, AStepForgetsHowTheTrafficWasSplitBefore) {
  auto stepped = worse(), fresh = worse();
  ASSERT_TRUE(stepped.add({0, 10}, {0, 1000}));
  stepped.begin_step();
  ASSERT_TRUE(stepped.add({3, 100}, {1, 300}));
  ASSERT_TRUE(fresh.add({3, 100}, {1, 300}));
  EXPECT_DOUBLE_EQ(stepped.evidence(), fresh.evidence());
}

TEST(VersusStable, EvidenceNeverFalls) {
  auto test = worse();
  ASSERT_TRUE(test.add({5, 100}, {5, 900}));
  const double before = test.evidence();
  ASSERT_GT(before, 1);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(test.add({0, 100}, {9, 900}));
  EXPECT_DOUBLE_EQ(test.evidence(), before);
}

TEST(VersusStable, WithAMarginBothLinesMustBeCrossed) {
  // 3 times stable, but only 0.2 points above it.
  auto times = worse({1.5, 0}), plus = worse({1, 0.01}), both = worse({1.5, 0.01});
  for (int i = 0; i < 200; ++i)
    for (auto* test : {&times, &plus, &both}) ASSERT_TRUE(test->add({3, 1000}, {1, 1000}));
  EXPECT_GT(times.evidence(), 1000);
  EXPECT_LT(plus.evidence(), 2);
  EXPECT_LT(both.evidence(), 2);
}

TEST(VersusStable, NotWorseIsShownByEqualRatesAndAMargin) {
  auto kept = not_worse({1.5, 0}), broken = not_worse({1.5, 0});
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(kept.add({1, 100}, {1, 100}));
    ASSERT_TRUE(broken.add({3, 100}, {1, 100}));
  }
  EXPECT_GT(kept.evidence(), 100);
  EXPECT_LT(broken.evidence(), 2);
}

TEST(VersusStable, NotWorseByPointsNeedsNoBadRequest) {
  auto test = not_worse({1, 0.01});
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(test.add({0, 100}, {0, 100}));
  EXPECT_GT(test.evidence(), 100);
}

TEST(VersusStable, DispersionWeakensEvidence) {
  auto independent = worse(), bursty = worse();
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(independent.add({9, 100}, {1, 100}));
    ASSERT_TRUE(bursty.add({9, 100}, {1, 100}, 10));
  }
  EXPECT_GT(independent.evidence(), 100);
  EXPECT_LT(bursty.evidence(), 10);
}

struct BadInput {
  const char* what;
  Counts canary, stable;
  double dispersion;
  const char* error;
};

TEST(VersusStable, RefusesBadInputAndStaysAsItWas) {
  const BadInput inputs[] = {
      {"bad above total", {7, 5}, {0, 5}, 1, "canary.bad is 7: allowed is 0 to the total, 5"},
      {"bad above nothing", {1, 0}, {0, 5}, 1, "canary.bad is 1: allowed is 0 to the total, 0"},
      {"negative", {-1, 5}, {0, 5}, 1, "canary.bad is -1"},
      {"negative total", {0, 5}, {0, -5}, 1, "stable.total is -5: allowed is 0 to 1e+15"},
      {"no number", {kNaN, 5}, {0, 5}, 1, "canary.bad is nan"},
      {"no total", {0, 5}, {0, kNaN}, 1, "stable.total is nan"},
      {"infinite", {kInfinity, kInfinity}, {0, 5}, 1, "canary.total is inf"},
      {"too many", {1e16, 1e16}, {0, 5}, 1, "canary.total is 1e+16"},
      {"dispersion", {5, 5}, {0, 5}, 0.5, "dispersion is 0.5: allowed is a finite number from 1"},
      {"no dispersion", {5, 5}, {0, 5}, kNaN, "dispersion is nan"}};
  auto test = worse(), other = worse();
  for (const auto& input : inputs) {
    const auto added = test.add(input.canary, input.stable, input.dispersion);
    ASSERT_FALSE(added) << input.what;
    EXPECT_EQ(added.error().kind, ErrorKind::Invalid);
    EXPECT_NE(added.error().message.find(input.error), std::string::npos) << added.error().message;
  }
  ASSERT_TRUE(test.add({3, 100}, {1, 300}));
  ASSERT_TRUE(other.add({3, 100}, {1, 300}));
  EXPECT_DOUBLE_EQ(test.evidence(), other.evidence());
}

TEST(VersusStable, RefusesMarginsThatAreNone) {
  const Margin margins[] = {{0.9, 0}, {kNaN, 0}, {kInfinity, 0}, {1, -0.1}, {1, 1}, {1, kNaN}};
  for (const auto& margin : margins)
    EXPECT_FALSE(VersusStable::create(margin, Claim::Worse)) << margin.times << margin.plus;
}

TEST(VersusStable, StaysFiniteForHugeCounts) {
  for (const Margin margin : {Margin{1, 0}, Margin{1.5, 0.001}})
    for (const auto claim : {Claim::Worse, Claim::NotWorse}) {
      auto test = VersusStable::create(margin, claim).value();
      for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(test.add({1e12, 1e12}, {1, 1e12}));
        ASSERT_TRUE(test.add({0, 1e12}, {1e12, 1e12}));
        ASSERT_TRUE(test.add({1e15, 1e15}, {1e15, 1e15}));
      }
      EXPECT_TRUE(std::isfinite(test.evidence()));
    }
}

TEST(VersusStable, EqualHugeCountsAreNoBreach) {
  auto test = worse();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(test.add({1e9, 1e12}, {1e9, 1e12}));
  EXPECT_LT(test.evidence(), 2);
}

// Ville: looked at after every sample, and with stable's rate going up and down, at most alpha of the healthy releases are
// taken back. Seeded; the expectation is below 1 %, and 40 of 2000 would be four standard deviations too many.
TEST(VersusStable, KeepsItsPromiseWhateverStableDoes) {
  std::mt19937_64 engine(1);
  int false_alarms = 0;
  for (int run = 0; run < 2000; ++run) {
    auto test = worse();
    for (int sample = 0; sample < 300 && test.evidence() < 100; ++sample) {
      const double rate = sample % 100 < 20 ? 0.3 : 0.02;
      std::poisson_distribution<int> canary_bad(10 * rate), canary_good(10 * (1 - rate));
      std::poisson_distribution<int> stable_bad(30 * rate), stable_good(30 * (1 - rate));
      const double c = canary_bad(engine), s = stable_bad(engine);
      ASSERT_TRUE(test.add({c, c + canary_good(engine)}, {s, s + stable_good(engine)}));
    }
    false_alarms += test.evidence() >= 100 ? 1 : 0;
  }
  EXPECT_LE(false_alarms, 40);
}

}  // namespace
}  // namespace weir
