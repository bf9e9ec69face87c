// What two versions behind one gateway answer: requests arrive as a Poisson process and are split at random, so the counts of a sample
// are independent Poisson numbers; errors are independent, or come in bursts of a Markov chain with two states, on and off.
#pragma once

#include <cstdint>

#include "stats/counts.h"
#include "stats/random_numbers.h"

namespace weir::bench {

struct Bursts {
  enum class Kind { None, Shared, Independent };  // Shared: the same bursts hit both versions
  Kind kind = Kind::None;
  double mean_on = 10;  // seconds
  // Variance over mean of the bad requests of 10 s, when one version serves all traffic.
  double index = 1;
};

struct Cell {
  double p0 = 0.005;    // stable's rate
  double factor = 1;    // the canary's is factor · p0
  double weight = 0.5;  // the canary's share of the traffic
  double rps = 50;
  double interval = 1;  // seconds
  Bursts bursts;

  std::uint64_t seed() const;
};

struct Sample {
  Counts canary;
  Counts stable;
  double intervals = 1;  // more than one: all but the last had no bad request
};

// The chain of one version (or of both). On: errors at `rate`; off: none.
class OnOff {
 public:
  // Such that the mean rate is p0 and the index is as wished; the index is smaller where even a rate of 1 gives less.
  OnOff(const Cell& cell, Rng& rng);

  double rate() const { return rate_; }
  // Moves on by `seconds`; the share of them that was on.
  double share_on(double seconds, Rng& rng);
  // For how long no error can come from now on.
  double quiet_for() const { return on_ ? 0 : left_; }

 private:
  double rate_ = 0;
  double mean_on_;
  double mean_off_ = 0;
  bool on_ = false;
  double left_ = 0;  // seconds, in this state
};

// One release, from its first request on.
class Trace {
 public:
  Trace(const Cell& cell, Rng& rng);

  // From now on.
  void set(double weight, double factor);

  Sample next();
  // As next(), but runs through intervals without bad requests at once.
  Sample next_bad();
  // Stable alone, before the release: one minute.
  Counts minute_before();

 private:
  bool is_bursty() const { return cell_.bursts.kind != Bursts::Kind::None; }
  Sample independent(double seconds);
  Sample bursty();
  double quiet_intervals();

  Cell cell_;
  Rng& rng_;
  OnOff canary_;
  OnOff stable_;
};

}  // namespace weir::bench
