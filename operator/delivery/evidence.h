// What has been measured of one revision, per objective: sums of increments of cumulative counters, or a run of values.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/canary_policy.h"
#include "api/release.h"
#include "base/mutex.h"
#include "delivery/ports.h"
#include "delivery/ratio_tests.h"

namespace weir {

// Roles of the expressions of one objective.
namespace roles {
inline constexpr std::string_view kBad = "bad";
inline constexpr std::string_view kGood = "good";  // in place of bad
inline constexpr std::string_view kTotal = "total";
inline constexpr std::string_view kStableBad = "stable bad";
inline constexpr std::string_view kStableGood = "stable good";
inline constexpr std::string_view kStableTotal = "stable total";
inline constexpr std::string_view kValue = "value";
}  // namespace roles

// Where the counters of one revision stood when they were read last.
struct CounterReading {
  // Something had been counted before the first answer: one without series is no baseline.
  bool is_old = false;
  bool has_baseline = false;
  std::optional<WallTime> sampled;  // own time of the newest sample
  // Series → counter; of the bad requests or of the good ones, and of all.
  std::map<std::string, double> last_part;
  std::map<std::string, double> last_total;
};

// Judged, but not yet a sample: the other revision's counters have not moved since.
struct PendingCounts {
  std::optional<Counts> canary;
  std::optional<Counts> stable;
};

struct ObjectiveEvidence {
  // Sums since the revision came; of requests.
  double bad = 0;
  double total = 0;
  // The part after the warm-up of each weight: what a verdict rests on; and stable's, meanwhile.
  double judged_bad = 0;
  double judged_total = 0;
  double stable_bad = 0;
  double stable_total = 0;
  // The part of judged_total at the present weight, or how many values were read at it; and of stable_total.
  double judged_here = 0;
  double stable_here = 0;
  std::optional<RatioTests> tests;      // of a ratio objective, from its first sample on
  std::optional<WallTime> judged_from;  // of the present weight: its acceptance and the warm-up
  std::optional<double> value;          // newest, of a value objective
  int failing = 0;                      // values above the bound, in a row
  std::optional<WallTime> sampled;      // own time of the newest sample
  std::optional<WallTime> bad_since;    // own time of the first bad sample
  std::optional<WallTime> asked;        // last question
  WallTime::duration unasked{0};        // between it and the one before
  bool waiting = false;                 // its answer is not there yet
  std::optional<Error> source_error;    // of the last answer
  bool good_is_missing = false;         // in the last answer, which had requests
  CounterReading canary;
  CounterReading stable;
  std::string compared_with;  // the revision that `stable` is of; "" = the canary has no equal now
  PendingCounts pending;
  PendingCounts held;                 // bad is above total in it: the next sample may make it good
  std::optional<Error> disagreement;  // it did not; until a sample is in order
  std::optional<WallTime> judged_until;  // own time of the newest sample that the tests have seen
  std::optional<WallTime> unread_since;  // after a restart: nobody has read the counters since then
};

using Evidence = std::map<std::string, ObjectiveEvidence>;  // by objective

// What a question is asked for.
struct Asking {
  WallTime at{};
  std::optional<WallTime> judged_from{};
  std::optional<JudgementStatus> checkpoint{};  // where to go on after a restart
  std::string compared_with{};  // the revision whose counters are asked for beside; "" = none
};

// Notes a question. A weight, or a stable revision, other than that of the question before begins anew what belongs to it.
void begin_question(ObjectiveEvidence& evidence, const Asking& asking);

// Folds one answer in. Pure. Each series is differenced by itself: one that appears after the first answer began at 0 (the first
// error of a revision is a new series), a counter that fell was reset. No sample of `total` that is newer: no new data. Nor when
// good requests are counted and there is no such counter: it may be a bucket that does not exist, and says nothing of bad ones.
// Where stable is asked for as well, a sample is what both have served since both have moved: scraped one after the other, one of
// them would show an outage first. Who is alone (stable has no series, or none that moves) is not waited for.
// Bad above total, or good above total, is no sample: one counter may have been read a moment after the other, so it is added to the
// next one. If that does not put it in order both are thrown away, and it is an error of the source until a sample is in order.
ObjectiveEvidence fold_answer(ObjectiveEvidence evidence, const Objective& objective,
                              const Result<std::vector<MetricSample>>& answer);

// Counts as the tests see them: one sample of both versions, or of the canary alone. Invalid counts are refused and change nothing.
Result<void> count(ObjectiveEvidence& evidence, const RatioObjective& objective,
                   const RatioSample& sample);

// Learns from what stable's counters were, minute by minute, how bursty its errors are. A span in which one of them fell, or is not
// known, is passed over.
void learn(ObjectiveEvidence& evidence, const Objective& objective,
           const std::vector<MetricSample>& history);

// Folds in what would have been answered while nobody asked, one after the other, `step` apart.
ObjectiveEvidence fold_missed(ObjectiveEvidence evidence, const Objective& objective,
                              const std::vector<std::vector<MetricSample>>& missed,
                              milliseconds step);

// From when on nobody has read the counters, by what stands in status; nothing: they were never read.
std::optional<WallTime> unread_since(const JudgementStatus& checkpoint);

// The evidence to start with after a restart: what stands in status.
ObjectiveEvidence evidence_from(const JudgementStatus& checkpoint, const Objective& objective);

// What a source tells of the time before a question.
struct PastCounts {
  std::vector<MetricSample> of_stable;            // for `learn`
  std::vector<std::vector<MetricSample>> missed;  // for `fold_missed`
  milliseconds step{0};                           // of `missed`
};

// Whose evidence it is.
struct EvidenceKey {
  std::string release_uid;
  std::string revision;
  auto operator<=>(const EvidenceKey&) const = default;
};

// The memory of the measuring threads; volatile: after a crash it starts again from status. Thread-safe.
class EvidenceBook {
 public:
  // A copy; empty when nothing was asked yet.
  Evidence read(const EvidenceKey& key) const;

  // Notes a question, and forgets all about other revisions of the release. False: one is already waiting for its answer.
  bool begin(const EvidenceKey& key, const Objective& objective, const Asking& asking);
  // `past`: what the source keeps of before.
  void fold(const EvidenceKey& key, const Objective& objective,
            const Result<std::vector<MetricSample>>& answer, const PastCounts& past = {});
  void forget(const std::string& release_uid);

 private:
  mutable Mutex mutex_;
  std::map<EvidenceKey, Evidence> evidence_ GUARDED_BY(mutex_);
};

}  // namespace weir
