// An anytime-valid test of a rate of bad requests against a bound that the user gives.
//
// The bet on an effect k takes the odds of the bound times k for the true ones, p1 against p0:
// (p1/p0)^bad · ((1-p1)/(1-p0))^(total-bad), whose mean is at most 1 for every rate on the bound's healthy side. Effects and beginnings
// are mixed as stats/bets.h says. Assumed: requests are bad independently of each other, or in clusters that `dispersion` tells of.
#pragma once

#include <span>
#include <vector>

#include "base/result.h"
#include "stats/bets.h"
#include "stats/counts.h"

namespace weir {

// Not thread-safe. Memory and time per sample are constant.
class AtMost {
 public:
  enum class Claim {
    Above,  // evidence that the rate is above the bound
    Below,  // evidence that it is below
  };

  // Invalid unless 0 < bound < 1.
  static Result<AtMost> create(double bound, Claim claim);

  // What was served since the sample before. Invalid counts are refused and change nothing.
  Result<void> add(const Counts& counts, double dispersion = 1);

  void begin_step() { bets_.begin_step(); }

  // The highest so far, from 1: true claims reach 1/alpha, false ones with probability at most alpha.
  double evidence() const { return evidence_; }

  // Everything that is to be known to go on elsewhere with the same bound. Recalled wrongly: Invalid, and nothing changed.
  std::vector<double> memory() const;
  Result<void> recall(std::span<const double> memory);

 private:
  AtMost(double bound, Claim claim);

  std::array<double, kEffects> log_bad_{};  // what one request adds, by effect
  std::array<double, kEffects> log_good_{};
  Bets bets_;
  double evidence_ = 1;
};

}  // namespace weir
