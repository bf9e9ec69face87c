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

namespace weir {

// Roles of the expressions of one objective.
namespace roles {
inline constexpr std::string_view kBad = "bad";
inline constexpr std::string_view kGood = "good";  // in place of bad
inline constexpr std::string_view kTotal = "total";
inline constexpr std::string_view kValue = "value";
}  // namespace roles

struct ObjectiveEvidence {
  // Sums since the revision came; of requests.
  double bad = 0;
  double total = 0;
  // The part after the warm-up of each weight: what a verdict rests on.
  double judged_bad = 0;
  double judged_total = 0;
  // The part of judged_total at the present weight; or how many values were read at it.
  double judged_here = 0;
  std::optional<WallTime> judged_from;  // of the present weight: its acceptance and the warm-up
  std::optional<double> value;          // newest, of a value objective
  int failing = 0;                      // values above the bound, in a row
  std::optional<WallTime> sampled;      // own time of the newest sample
  std::optional<WallTime> bad_since;    // own time of the first bad sample
  std::optional<WallTime> asked;        // last question
  bool waiting = false;                 // its answer is not there yet
  std::optional<Error> source_error;    // of the last answer
  bool good_is_missing = false;         // in the last answer, which had requests
  bool has_baseline = false;            // counters were read at least once
  std::map<std::string, double>
      last_part;  // series → counter, of the bad requests or of the good ones
  std::map<std::string, double> last_total;
};

using Evidence = std::map<std::string, ObjectiveEvidence>;  // by objective

// Folds one answer in. Pure. Each series is differenced by itself: one that appears after the first answer began at 0 (the first
// error of a revision is a new series), a counter that fell was reset. No sample of `total` that is newer: no new data. Nor when
// good requests are counted and there is no such counter: it may be a bucket that does not exist, and says nothing of bad ones.
ObjectiveEvidence fold_answer(ObjectiveEvidence evidence, const Objective& objective,
                              const Result<std::vector<MetricSample>>& answer);

// The evidence to start with after a restart: the sums that stand in status.
ObjectiveEvidence evidence_from(const JudgementStatus& checkpoint);

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
  bool begin(const EvidenceKey& key, const std::string& objective, WallTime now,
             const std::optional<WallTime>& judged_from,
             const std::optional<JudgementStatus>& checkpoint);
  void fold(const EvidenceKey& key, const Objective& objective,
            const Result<std::vector<MetricSample>>& answer);
  void forget(const std::string& release_uid);

 private:
  mutable Mutex mutex_;
  std::map<EvidenceKey, Evidence> evidence_ GUARDED_BY(mutex_);
};

}  // namespace weir
