// What a policy would have done with the releases of a recording, and with a version that is released against itself. The operator's own
// code decides (staged_release.h), fed point by point with what was recorded.
//
// The recorded share of the traffic stays what it was: the policy's steps say only when it would have gone on, and what it would have
// compared. Pods count as ready.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/canary_policy.h"
#include "base/result.h"
#include "replay/past_releases.h"
#include "replay/recording.h"
#include "replay/stable_against_itself.h"
#include "replay/staged_release.h"

namespace weir {

inline constexpr std::size_t kMaxPastReleases = 500;  // the newest
inline constexpr int kMaxReplayedLooks = 200'000;     // of one release

// For a chart: what was served since the point before, and where the evidence stood.
struct ReplayPoint {
  WallTime at{};
  Counts canary{};
  Counts stable{};
  int weight = 0;       // of the policy
  double evidence = 0;  // 0 to 1: the logarithm of the evidence nearest to a breach, 1 is one
};

struct ReplayedRelease {
  PastRelease past;
  // By the policy. UnderWay: the recording, or the recorded release's place in it, ended first.
  Ending ending = Ending::UnderWay;
  WallTime decided{};     // rolled back, promoted, or last looked at
  int weight = 0;         // then, before it fell
  std::string objective;  // that took it back, or holds it
  std::string message;
  Counts canary;         // of the whole recorded release
  double bad_after = 0;  // the canary's bad answers after it would have been taken back
  std::vector<ReplayPoint> points;
};

struct Backtest {
  std::vector<std::string> objectives;  // judged
  std::vector<std::string> left_out;    // of the policy; not recorded
  WallTime from{};
  WallTime to{};
  milliseconds step{0};
  std::vector<ReplayedRelease> releases;
  std::size_t older_releases = 0;  // beyond kMaxPastReleases
  TrialReport itself;
  double releases_a_year = 0;
  std::vector<std::string> warnings;
};

// `releases_a_year`: nothing = as many as the recording has; one a day, when it is shorter than a week or has none. Errors: Invalid. Pure.
Result<Backtest> backtest(const CanaryPolicySpec& policy, const Recording& recording,
                          std::optional<double> releases_a_year);

}  // namespace weir
