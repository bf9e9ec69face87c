#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "stats/betting.h"

namespace weir {
namespace {

TEST(Betting, NoRequestsAreNoEvidence) {
  EXPECT_DOUBLE_EQ(evidence_above(0, 0, 0.05), 1);
  EXPECT_DOUBLE_EQ(evidence_below(0, 0, 0.05), 1);
}

TEST(Betting, IsTheMeanOfTheLikelihoodRatios) {
  // One bad request of one, bound 0.5: odds times r gives r/(1+r), over 0.5.
  double sum = 0;
  for (const double r : {1.25, 1.5, 2.0, 3.0, 5.0, 10.0}) sum += r / (1 + r) / 0.5;
  EXPECT_NEAR(evidence_above(1, 1, 0.5), sum / 6, 1e-12);
}

TEST(Betting, GrowsWithBadAndFallsWithGoodRequests) {
  EXPECT_GT(evidence_above(20, 100, 0.05), evidence_above(10, 100, 0.05));
  EXPECT_LT(evidence_above(10, 400, 0.05), evidence_above(10, 100, 0.05));
}

TEST(Betting, StaysFiniteForHugeCounts) {
  EXPECT_TRUE(std::isfinite(evidence_above(1e9, 1e9, 0.01)));
}

// Ville: looked at after every request, a revision right at the bound is called broken in at most alpha of all runs. Seeded, so
// the figure is the same every time; 0.02 leaves room for none of luck: the expectation is below 0.01.
TEST(Betting, KeepsItsPromiseWhenLookedAtAfterEveryRequest) {
  std::mt19937_64 engine(1);
  std::bernoulli_distribution is_bad(0.05);
  int false_alarms = 0;
  constexpr int kRuns = 2000;
  for (int run = 0; run < kRuns; ++run) {
    int bad = 0;
    for (int total = 1; total <= 1000; ++total) {
      bad += is_bad(engine) ? 1 : 0;
      if (evidence_above(bad, total, 0.05) >= 100) {
        ++false_alarms;
        break;
      }
    }
  }
  EXPECT_LE(false_alarms, kRuns / 50);
}

}  // namespace
}  // namespace weir
