// Confidence sequences: intervals for the report that may be looked at after every sample. The truth is ever outside with probability
// at most alpha. They are for people; verdicts come from the tests, which look at one side only and are sharper there.
#pragma once

#include <array>

#include "base/result.h"
#include "stats/counts.h"
#include "stats/versus_stable.h"

namespace weir {

struct Interval {
  double low = 0;
  double high = 0;
};

// Of the rate of bad requests, from all counts so far: the rates which a bet with a Beta(1/2, 1/2) prior has not refuted (Robbins 1970).
// Invalid: counts, dispersion, alpha outside (0, 1). Totals above 1e12 cost accuracy, not validity. Pure.
Result<Interval> rate_interval(const Counts& sum, double alpha, double dispersion = 1);

// Of independent trials that are looked at once, at their end: the least chance of a hit that so many hits are not too many for, exactly,
// from one side (Clopper and Pearson 1934). The true chance is below it with probability at most alpha. Invalid: hits outside 0 to
// trials, trials above 1e7, alpha outside (0, 1). Time grows with the trials. Pure.
Result<double> least_chance(int hits, int trials, double alpha);

// Of the canary's rate over stable's at the same time, which may change with time as long as their ratio does not: the ratios on a
// grid that a uniform mixture of all others has not refuted. Not thread-safe; memory and time per sample are constant.
class RatioInterval {
 public:
  // As VersusStable's.
  Result<void> add(const Counts& canary, const Counts& stable, double dispersion = 1);
  void begin_step() { sample_ = {}; }

  // From the grid's point below to the one above: at most 19 % too wide on a side. 0 and infinity where the grid ends (1/256, 256).
  Result<Interval> interval(double alpha) const;

 private:
  static constexpr int kPerOctave = 4;
  static constexpr int kOctaves = 8;
  static constexpr int kPoints = 2 * kOctaves * kPerOctave + 1;
  static double ratio(int point);

  std::array<double, kPoints> log_likelihood_{};
  PairedSample sample_;
};

}  // namespace weir
