// The share of bad requests lately: what was counted fades by half every 30 seconds.
#pragma once

#include <cmath>

#include "stats/counts.h"

namespace weir {

// Not thread-safe. Memory is constant.
class RecentRatio {
 public:
  // Counts are valid; seconds since the sample before from 0.
  void add(const Counts& counts, double elapsed) {
    const double kept = std::exp2(-elapsed / kHalfLife);
    faded_ = {faded_.bad * kept + counts.bad, faded_.total * kept + counts.total};
    newest_ = counts;
  }

  // In the newest sample, or in what has not faded: the beginning of an outage shows in the first, its end is waited for in the other.
  bool exceeds(double bound) const { return above(newest_, bound) || above(faded_, bound); }
  const Counts& faded() const { return faded_; }

 private:
  static bool above(const Counts& counts, double bound) {
    return counts.bad > bound * counts.total;
  }

  static constexpr double kHalfLife = 30;
  Counts faded_;
  Counts newest_;
};

}  // namespace weir
