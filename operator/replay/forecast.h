// What a policy can see at a given traffic, before anything is released: releases rehearsed many times over with drawn requests, each
// judged and moved by the operator's own code (staged_release.h). Deterministic: the same input gives the same figures everywhere.
//
// Assumed: errors are independent of each other (bursts make the judge slower, designs/014), traffic is even and has been for a day,
// pods start and the gateway answers at once.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/canary_policy.h"
#include "base/result.h"

namespace weir {

struct ForecastInput {
  double requests_per_second = 0;  // of both versions together
  double error_rate = 0;           // the share of bad ones at stable
  std::string objective{};         // the ratio objective to look at; "" = the first Critical one
  int runs = 100;
  std::vector<double> factors{2, 5, 10};
};

inline constexpr double kMaxRequestsPerSecond = 1e7;
inline constexpr int kMinRuns = 20;
inline constexpr int kMaxRuns = 10'000;
// Samples of one rehearsed release, of its holds and of the watch.
inline constexpr double kMaxRehearsedSamples = 20'000;
// A longer watch is rehearsed for its first hour.
inline constexpr std::chrono::hours kRehearsedWatch{1};
inline constexpr double kFoundShare = 0.9;  // of the smallest regression that is called found

// A canary that is so many times as bad as stable from the beginning of one step on.
struct RegressionForecast {
  double factor = 1;
  bool is_breach = false;  // of some bound that is judged; else it is never to be found
  double found = 0;        // share of releases that were taken back, from this step or later
  double found_here = 0;   // at this weight
  // From the beginning of the step until weight 0: median of all; nothing when fewer than half were taken back.
  std::optional<double> seconds{};
  // Mean of the bad answers beyond stable's, until weight 0 or the end of the watch.
  double hurt = 0;
};

struct StepForecast {
  int weight = 0;
  milliseconds hold{0};  // of 100 percent, the watch as well
  double seconds = 0;    // mean stay of a healthy release
  double canary_requests = 0;
  bool judged = true;  // by the objective: one that only compares is not, at 100 percent
  // The smallest regression from here on that is found at this weight in kFoundShare of all releases; nothing: none is.
  std::optional<double> smallest{};
  std::vector<RegressionForecast> regressions{};
};

struct Forecast {
  std::string objective;
  std::string bound;
  double needed_evidence = 0;  // of the objective's tests, for a breach
  int runs = 0;
  std::vector<StepForecast> steps;
  // Of healthy releases: median until 100 percent was held, nothing when half of them never came there; how many were taken back,
  // and how many waited for a person.
  std::optional<double> seconds_to_promotion;
  milliseconds watch{0};
  int taken_back = 0;
  int awaiting = 0;
  std::vector<std::string> warnings;
};

// Errors: Invalid, naming what was found and what is allowed.
Result<Forecast> forecast(const CanaryPolicySpec& policy, const ForecastInput& input);

}  // namespace weir
