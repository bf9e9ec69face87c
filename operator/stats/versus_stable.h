// An anytime-valid test of the canary against stable, serving at the same time.
//
// Stable's rate p may change from sample to sample as it likes; held to be true is "the canary's rate is at most times · p + plus".
// Of one sample with x of n bad requests at the canary and y of m at stable, the bet on an effect k grows by
//
//   a^x · b^y · exp(-plus · n · (a - 1)),   a = k / (1 - q + k q),   b = 1 / (1 - q + k q),   q = times · n / (times · n + m).
//
// The mean is at most exp(p · (times · n · (a - 1) + m · (b - 1))) = 1 for every p: (1 + p (a - 1))^n ≤ exp(p n (a - 1)), and a and b are
// chosen such that the bracket is 0. So nothing about p is estimated or assumed, and errors that both versions share (a database
// that fails for a minute) cancel. With plus = 0 it is the likelihood ratio of the canary's share of all bad requests, a binomial given
// their number; for rare errors that is the growth-optimal test when k is the true effect. (Turner, Ly, Grünwald, arXiv 2106.02693;
// Lindon, Sanden, Shirikian, arXiv 2205.14762.) Effects and beginnings are mixed as stats/bets.h says.
//
// Assumed: requests go to a version whatever their outcome, and are bad independently of each other, or in clusters that `dispersion`
// tells of (stats/dispersion.h).
#pragma once

#include <span>
#include <vector>

#include "base/result.h"
#include "stats/bets.h"
#include "stats/counts.h"

namespace weir {

// Worse: the canary's rate is above stable's times `times` AND above stable's plus `plus`.
struct Margin {
  double times = 1;  // from 1
  double plus = 0;   // a fraction, from 0, below 1
};

enum class Claim {
  // Evidence that the margin is broken.
  Worse,
  // Evidence that it is kept: what may end a hold early. With Margin{1, 0} only a better canary shows any.
  NotWorse,
};

// Sums up samples until one of them has a bad request: the split of the traffic is known the better, and nothing is lost, because a
// sample without bad requests says nothing of their ratio. Valid as long as the split does not change meanwhile.
struct PairedSample {
  Counts canary;
  Counts stable;
  void add(const Counts& more_canary, const Counts& more_stable);
  double bad() const { return canary.bad + stable.bad; }
};

// Not thread-safe. Memory and time per sample are constant.
class VersusStable {
 public:
  // Invalid when the margin is out of its range.
  static Result<VersusStable> create(const Margin& margin, Claim claim);

  // What both versions served since the sample before. Invalid counts are refused and change nothing.
  Result<void> add(const Counts& canary, const Counts& stable, double dispersion = 1);

  // The traffic is split otherwise from the next sample on. Also a moment at which regressions show.
  void begin_step();

  // The highest so far, from 1: true claims reach 1/alpha, false ones with probability at most alpha.
  double evidence() const { return evidence_; }

  // Everything that is to be known to go on elsewhere with the same bound. Recalled wrongly: Invalid, and nothing changed.
  std::vector<double> memory() const;
  Result<void> recall(std::span<const double> memory);

 private:
  struct Line {  // canary = times · stable + plus
    double times;
    double plus;
    Bets bets;
  };

  VersusStable(std::vector<Line> lines, Claim claim);
  void play(double dispersion);
  double present() const;

  std::vector<Line> lines_;
  Claim claim_;
  std::array<double, kEffects> effects_{};
  std::array<double, kEffects> log_effects_{};
  PairedSample sample_;
  bool counts_good_ = false;  // some line has a plus, for which good requests are evidence
  double evidence_ = 1;
};

}  // namespace weir
