#include "delivery/judge.h"

#include <fmt/format.h>

#include <algorithm>

#include "stats/betting.h"

namespace weir {
namespace {

constexpr double kPassLevel =
    0.05;  // chance of calling an objective passed that is not; only a label, `onUnsure` decides
constexpr milliseconds kStaleAtLeast{30'000};
constexpr int kStaleIntervals = 5;

std::string percent(double fraction) { return fmt::format("{:.4g}%", fraction * 100); }

double alpha_per_objective(const CanaryPolicySpec& policy) {
  const auto critical =
      std::count_if(policy.objectives.begin(), policy.objectives.end(),
                    [](const Objective& o) { return o.ratio && o.severity == Severity::Critical; });
  return policy.judge.max_false_rollback /
         static_cast<double>(std::max<std::ptrdiff_t>(1, critical));
}

bool is_stale(const ObjectiveEvidence& evidence, milliseconds interval, WallTime now) {
  return !evidence.sampled ||
         now - *evidence.sampled > std::max(kStaleAtLeast, interval * kStaleIntervals);
}

std::string_view no_data(const ObjectiveEvidence& seen) {
  if (seen.good_is_missing)
    return "requests are counted, good ones are not: is the threshold a bound of the histogram's "
           "buckets?";
  return seen.sampled ? "no new data at this weight" : "no data yet";
}

void judge_ratio(Judgement& judgement, const RatioObjective& ratio, const ObjectiveEvidence& seen,
                 double alpha) {
  judgement.bound = "at most " + percent(ratio.at_most);
  if (seen.total > 0) judgement.value = percent(seen.bad / seen.total);
  const double against = evidence_above(seen.judged_bad, seen.judged_total, ratio.at_most);
  const double in_favour = evidence_below(seen.judged_bad, seen.judged_total, ratio.at_most);
  const auto counts = fmt::format("{:.0f} of {:.0f} requests bad, allowed {}", seen.judged_bad,
                                  seen.judged_total, percent(ratio.at_most));
  if (against * alpha >= 1) {
    judgement.verdict = Verdict::Breach;
    judgement.message =
        fmt::format("{}; chance of seeing this when healthy below {}", counts, percent(alpha));
  } else {
    judgement.verdict = in_favour * kPassLevel >= 1 ? Verdict::Pass : Verdict::Unsure;
    judgement.message = counts;
  }
}

void judge_value(Judgement& judgement, const ValueObjective& value, const ObjectiveEvidence& seen) {
  judgement.bound = fmt::format("at most {:g}", value.at_most);
  if (seen.value) judgement.value = fmt::format("{:g}", *seen.value);
  judgement.message = fmt::format("{} of {} failing samples in a row; last value {}, allowed {:g}",
                                  seen.failing, value.fail_after, judgement.value, value.at_most);
  if (seen.failing >= value.fail_after)
    judgement.verdict = Verdict::Breach;
  else
    judgement.verdict = seen.failing == 0 ? Verdict::Pass : Verdict::Unsure;
}

Judgement judge_one(const CanaryPolicySpec& policy, const Objective& objective,
                    const ObjectiveEvidence& seen, const std::optional<WallTime>& judged_from,
                    WallTime now) {
  Judgement judgement{objective.name, Verdict::NoData, "", "", ""};
  if (objective.ratio)
    judge_ratio(judgement, *objective.ratio, seen, alpha_per_objective(policy));
  else
    judge_value(judgement, *objective.value, seen);
  const auto interval = objective.value ? objective.value->interval : policy.judge.interval;
  // Evidence of a breach stays evidence when the source goes away.
  if (judgement.verdict == Verdict::Breach) {
    if (objective.severity == Severity::Warning) judgement.verdict = Verdict::Warning;
  } else if (seen.source_error) {
    judgement.verdict = Verdict::SourceError;
    judgement.message = "the source cannot be read: " + seen.source_error->message;
  } else if (seen.judged_from != judged_from || seen.judged_here <= 0 ||
             is_stale(seen, interval, now)) {
    judgement.verdict = Verdict::NoData;
    judgement.message = no_data(seen);
  }
  return judgement;
}

// Whether one judgement lets the release go on after its hold.
bool allows(const CanaryPolicySpec& policy, const Objective& objective,
            const Judgement& judgement) {
  switch (judgement.verdict) {
    case Verdict::Pass:
    case Verdict::Warning: return true;
    case Verdict::Unsure: return objective.on_unsure == WhenUnsure::Advance;
    case Verdict::NoData: return objective.on_no_data == WhenNoData::Advance;
    case Verdict::SourceError: return policy.judge.on_source_error == WhenSourceError::Advance;
    case Verdict::Breach: return false;
  }
  return false;
}

bool breaks(const Objective& objective, const Judgement& judgement, bool hold_over) {
  if (judgement.verdict == Verdict::Breach) return true;
  return judgement.verdict == Verdict::NoData && hold_over &&
         objective.on_no_data == WhenNoData::Rollback;
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::Pass: return "Pass";
    case Verdict::Unsure: return "Unsure";
    case Verdict::NoData: return "NoData";
    case Verdict::SourceError: return "SourceError";
    case Verdict::Warning: return "Warning";
    case Verdict::Breach: return "Breach";
  }
  return "NoData";
}

Ruling judge(const CanaryPolicySpec& policy, const Evidence& evidence,
             const std::optional<WallTime>& judged_from, WallTime now, bool hold_over) {
  static const ObjectiveEvidence kNone;
  Ruling ruling;
  ruling.may_advance = true;
  for (const auto& objective : policy.objectives) {
    const auto seen = evidence.find(objective.name);
    auto judgement = judge_one(policy, objective, seen == evidence.end() ? kNone : seen->second,
                               judged_from, now);
    if (!ruling.breach && breaks(objective, judgement, hold_over)) ruling.breach = judgement;
    if (ruling.may_advance && !allows(policy, objective, judgement)) {
      ruling.may_advance = false;
      ruling.holding = fmt::format("{} is {}: {}", judgement.objective,
                                   to_string(judgement.verdict), judgement.message);
    }
    ruling.judgements.push_back(std::move(judgement));
  }
  return ruling;
}

}  // namespace weir
