// How bursty errors are: the variance of their number, in units of what independent requests would have.
//
// Errors that come in clusters (a node that reboots, a lock that hangs) make counts vary more than independent ones do, and a test
// that does not know it takes a burst for a regression. Clusters of f errors at a time are f times fewer events: all log likelihood
// ratios divided by f keep the tests' promise. So f is measured on stable, before and during the release.
//
// Blocks of a minute, then of 2, 4 and 8, are compared in pairs: given the bad requests of both, the first one's are binomial if they
// are independent. Only neighbours are compared, so that a rate which follows the time of day is no burst.
//
// Assumed: the canary's errors cluster like stable's; bursts last minutes, not hours, and some of them are in what was seen. A burst
// of a kind never seen before is taken for what it looks like.
#pragma once

#include <array>
#include <optional>

#include "base/result.h"
#include "stats/counts.h"

namespace weir {

// Not thread-safe. Memory is constant.
class Dispersion {
 public:
  // What one version served within `seconds`, in order of time. Refused, and nothing changed: invalid counts, no positive finite time.
  Result<void> add(const Counts& counts, double seconds);

  // 1 while nothing contradicts independence (four standard deviations), else twice the largest index of any block length: the
  // estimate rests on few bursts.
  double value() const;

 private:
  struct Scale {
    std::optional<Counts> first;  // of a pair whose second block is not there yet
    double squares =
        0;  // each pair: squared deviation from its split, in units of one bad request's variance
    double bad = 0;       // its mean when requests are independent
    double variance = 0;  // its variance then
  };

  void add_block(const Counts& block);
  static void compare(Scale& scale, const Counts& first, const Counts& second);

  static constexpr double kBlockSeconds = 60;
  std::array<Scale, 4> scales_;
  Counts block_;
  double block_seconds_ = 0;
};

}  // namespace weir
