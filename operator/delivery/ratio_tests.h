// The sequential tests of one ratio objective through a whole release: samples of both versions in, evidence out. Pure, and knows
// nothing of Kubernetes: what is judged in a cluster can be judged again from recorded counts.
#pragma once

#include <optional>
#include <string>

#include "api/canary_policy.h"
#include "stats/at_most.h"
#include "stats/dispersion.h"
#include "stats/intervals.h"
#include "stats/recent_ratio.h"
#include "stats/versus_stable.h"

namespace weir {

// What was served since the sample before.
struct RatioSample {
  Counts canary;
  std::optional<Counts>
      stable;          // meanwhile; nothing: it is not known, or there is no traffic to it
  double seconds = 0;  // from 0
};

// Not thread-safe; a value of constant size.
class RatioTests {
 public:
  // The objective as it was decoded, with valid bounds.
  explicit RatioTests(const RatioObjective& objective);

  // Invalid counts are refused and change nothing.
  Result<void> add(const RatioSample& sample);
  // A minute of stable's past, in order of time: how bursty its errors are.
  void learn(const Counts& minute) { (void)bursts_.add(minute, 60); }
  // The weight was changed.
  void begin_step();

  // Evidence from 1, the highest so far; 1 where there is no such bound.
  double above() const { return above_ ? above_->evidence() : 1; }  // the canary breaks atMost,
  double below() const { return below_ ? below_->evidence() : 1; }  // keeps it,
  double worse() const { return worse_ ? worse_->evidence() : 1; }  // breaks versusStable,
  double no_worse() const { return no_worse_ ? no_worse_->evidence() : 1; }  // keeps it

  // The samples since begin_step alone show that each bound is kept, those with stable too where `compares`. For each bound that is not
  // kept the chance of this is at most 1/level. Nothing is known after a restart. Only of an objective that may end early.
  bool kept_here(bool compares, double level) const;

  // Both versions break atMost now. Samples of such times are no evidence against the canary.
  bool both_break() const;
  const Counts& stable_lately() const { return stable_lately_.faded(); }

  // Where the true ratio of `sum` is, and how many times stable's, for people; "" = nothing can be said.
  std::string interval(const Counts& sum) const;

  // What is needed to go on after a restart. What it cannot be read from is refused, and changes nothing.
  std::string checkpoint() const;
  Result<void> recall(const std::string& checkpoint);

 private:
  bool stable_breaks() const;
  void begin_here();
  double dispersion() const;

  std::optional<double> at_most_;
  std::optional<AtMost> above_;
  std::optional<AtMost> below_;
  std::optional<VersusStable> worse_;
  std::optional<VersusStable> no_worse_;
  bool may_end_early_ = false;
  std::optional<Margin> margin_;
  std::optional<AtMost> below_here_;
  std::optional<VersusStable> no_worse_here_;
  RatioInterval times_stable_;
  Dispersion bursts_;  // of stable
  double known_bursts_ = 1;
  RecentRatio canary_lately_;
  RecentRatio stable_lately_;
  bool compared_ = false;  // the newest sample tells of stable
};

}  // namespace weir
