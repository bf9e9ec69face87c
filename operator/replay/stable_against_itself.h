// A policy's false rollbacks, counted: where one revision served alone, one half of its traffic plays the canary of the other half. It
// is the same version, so every rollback is a false one.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "api/canary_policy.h"
#include "replay/past_releases.h"
#include "replay/recording.h"

namespace weir {

inline constexpr int kMaxTrials = 500;
inline constexpr double kMaxTrialSamples = 500'000;  // of all trials together

struct FalseRollback {
  WallTime at{};
  std::string revision;
  std::string objective;
  std::string message;
};

struct TrialReport {
  // True: every other pod or instance is the canary. False, where there are no two of them: every other point of time, so that what
  // hit both halves at once seems to have hit one, and more is taken back than would be.
  bool by_instance = false;
  int trials = 0;    // whole releases
  int awaiting = 0;  // of them, those that ended in front of a person
  std::vector<FalseRollback> taken_back;
  // Of healthy releases that are taken back; 95 % sure (Clopper, Pearson 1934).
  double share_at_most = 1;
};

// Trials follow each other through all spans that hold a whole release. `objectives`: the ratio objectives that were recorded.
TrialReport try_stable_against_itself(const Recording& recording, const CanaryPolicySpec& policy,
                                      const std::vector<std::string>& objectives,
                                      const std::vector<QuietSpan>& quiet);

// The largest share that `hits` of `runs` do not refute, one-sided at 95 %; 1 for no runs.
double largest_share(int hits, int runs);

}  // namespace weir
