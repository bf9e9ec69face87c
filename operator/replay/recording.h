// Counters of past releases, as Prometheus gives them: what `weir backtest` replays. The file is one JSON object:
//
//   {"revisionLabel": "service",                  which label tells revisions apart; "revision" when left out
//    "objectives": {"errors": {                   the policy's name of it
//       "bad": ANSWER, "total": ANSWER}}}         or "good" and "total", or "value", as the policy's objective has it
//
// ANSWER: what /api/v1/query_range gives for the plain counters of all revisions, or a list of such answers, one after the other in
// time (a query gives at most 11,000 points a series).
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/canary_policy.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "delivery/ports.h"

namespace weir {

inline constexpr std::size_t kMaxRecordingBytes = std::size_t{32} << 20U;
inline constexpr std::size_t kMaxRecordedSeries = 1000;  // of one role
inline constexpr std::size_t kMaxRecordedRevisions = 500;
inline constexpr std::size_t kMaxRecordedPoints = 10'000'000;  // 16 bytes each
// As Prometheus: a series without a newer point has gone.
inline constexpr std::chrono::minutes kLookback{5};

struct RecordedPoint {
  WallTime at{};
  double value = 0;
};

struct RecordedSeries {
  std::string labels;    // canonical, without __name__
  std::string instance;  // labels pod or instance; "" = none
  std::string revision;  // "" = the label is not there, which only a value may do without
  std::vector<RecordedPoint> points;  // rising

  // The newest point at that time; null when there is none within kLookback.
  const RecordedPoint* at(WallTime time) const;
};

// What a counter has grown by; one that fell began anew at 0.
double increment(double before, double after);

// By role: "bad", "good", "total", "value".
using RecordedObjective = std::map<std::string, std::vector<RecordedSeries>, std::less<>>;

struct Recording {
  std::map<std::string, RecordedObjective, std::less<>> objectives;
  WallTime from{};
  WallTime to{};
  milliseconds step{0};  // the usual distance of two points
  std::vector<std::string> warnings;
};

// Takes one answer after the other, so that none need be kept. Errors: Invalid, naming the place; after one it is of no more use.
class RecordingReader {
 public:
  explicit RecordingReader(std::string revision_label);
  ~RecordingReader();

  // ANSWER, as above. A role that got nothing but empty answers is one without series.
  Result<void> add(const std::string& objective, const std::string& role, const Json& answers);
  // Once. Checked as far as that goes without a policy.
  Result<Recording> finish();

 private:
  struct Roles;
  const std::string label_;
  std::map<std::string, std::unique_ptr<Roles>> objectives_;
  std::size_t points_ = 0;
};

// Errors: Invalid or Parse, naming the place. Pure.
Result<Recording> parse_recording(std::string_view text);

// The names of those of the policy's objectives that the recording has counters of. Error: none, or one whose roles do not fit.
Result<std::vector<std::string>> recorded_objectives(const Recording& recording,
                                                     const CanaryPolicySpec& policy);

}  // namespace weir
