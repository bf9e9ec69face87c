#include "delivery/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/sim_point.h"

namespace weir {
namespace {

constexpr double kPassLevel =
    0.05;  // chance of calling an objective passed that is not; only a label, `onUnsure` decides
constexpr milliseconds kStaleAtLeast{30'000};
constexpr int kStaleIntervals = 5;
constexpr std::string_view kNothingToCompare =
    "no requests of stable are counted at this weight to compare with";

std::string percent(double fraction) { return fmt::format("{:.4g}%", fraction * 100); }

std::string margin_text(const StableMargin& margin) {
  const auto times = fmt::format("{:g} times stable's", margin.times);
  auto plus = fmt::format("stable's plus {}", percent(margin.plus));
  if (margin.times > 1 && margin.plus > 0) return fmt::format("{} or {}", times, plus);
  if (margin.plus > 0) return plus;
  return margin.times > 1 ? times : "stable's";
}

int tests_of(const RatioObjective& ratio) {
  return (ratio.at_most ? 1 : 0) + (ratio.versus_stable ? 1 : 0);
}

bool is_stale(const ObjectiveEvidence& evidence, milliseconds interval, WallTime now) {
  return !evidence.sampled ||
         now - *evidence.sampled > std::max(kStaleAtLeast, interval * kStaleIntervals);
}

// Why what was counted is not enough to judge by; "" = it is.
std::string_view lacks_data(const Objective& objective, const ObjectiveEvidence& seen,
                            milliseconds interval, const Occasion& occasion) {
  const bool here = seen.judged_from == occasion.judged_from && seen.judged_here > 0;
  if (!here || is_stale(seen, interval, occasion.now)) {
    if (seen.good_is_missing)
      return "requests are counted, good ones are not: is the threshold a bound of the "
             "histogram's buckets?";
    return seen.sampled ? "no new data at this weight" : "no data yet";
  }
  const bool compares = objective.ratio && objective.ratio->versus_stable && !occasion.alone;
  if (compares && seen.stable_here <= 0) return kNothingToCompare;
  return "";
}

std::string counted(double bad, double total) {
  return fmt::format("{:.0f} of {:.0f} requests bad", bad, total);
}

std::string rate(double bad, double total) {
  return total > 0 ? percent(bad / total) : std::string("nothing");
}

// What one ratio objective rests on now.
struct RatioView {
  const RatioObjective& ratio;
  const ObjectiveEvidence& seen;
  bool compares;  // with stable
  double needed;

  const RatioTests* tests() const { return seen.tests ? &*seen.tests : nullptr; }
  double above() const { return ratio.at_most && tests() ? tests()->above() : 1; }
  double worse() const { return compares && tests() ? tests()->worse() : 1; }
};

std::string against_bound(const RatioView& view) {
  return fmt::format("{}, allowed {}", counted(view.seen.judged_bad, view.seen.judged_total),
                     percent(*view.ratio.at_most));
}

std::string against_stable(const RatioView& view) {
  const auto& seen = view.seen;
  return fmt::format("{} ({}), stable {} of {} ({}), allowed {}",
                     counted(seen.judged_bad, seen.judged_total),
                     rate(seen.judged_bad, seen.judged_total), std::llround(seen.stable_bad),
                     std::llround(seen.stable_total), rate(seen.stable_bad, seen.stable_total),
                     margin_text(*view.ratio.versus_stable));
}

// Each bound that is judged is kept, by the evidence, and nothing says the contrary.
bool is_kept(const RatioView& view) {
  const auto* tests = view.tests();
  if (!tests) return false;
  const auto shown = [](double kept, double broken) {
    return kept * kPassLevel >= 1 && broken * kPassLevel < 1;
  };
  return (!view.ratio.at_most || shown(tests->below(), tests->above())) &&
         (!view.compares || shown(tests->no_worse(), tests->worse()));
}

void judge_ratio(Judgement& judgement, const RatioView& view) {
  const auto& seen = view.seen;
  judgement.bound = bound_text(view.ratio);
  if (seen.total > 0) judgement.value = percent(seen.bad / seen.total);
  judgement.needed = view.needed;
  judgement.evidence = std::max(view.above(), view.worse());
  const auto* tests = view.tests();
  if (tests) judgement.interval = tests->interval({seen.judged_bad, seen.judged_total});
  const auto breach = [&](const std::string& how) {
    judgement.verdict = Verdict::Breach;
    judgement.message = fmt::format("{}; chance of seeing this when healthy below {}", how,
                                    percent(1 / view.needed));
  };
  if (view.above() >= view.needed) return breach(against_bound(view));
  if (view.worse() >= view.needed) return breach(against_stable(view));
  const bool by_bound = view.ratio.at_most && view.above() >= view.worse();
  judgement.message = by_bound || !view.compares ? against_bound(view) : against_stable(view);
  judgement.verdict = is_kept(view) ? Verdict::Pass : Verdict::Unsure;
  judgement.kept_here = judgement.verdict == Verdict::Pass && tests &&
                        tests->kept_here(view.compares, 1 / kPassLevel);
}

// The fix must not be taken back for the outage that it fixes.
void excuse_by_stable(Judgement& judgement, const RatioView& view) {
  const auto* tests = view.tests();
  if (judgement.verdict == Verdict::Breach || !tests || !tests->both_break()) return;
  const auto& stable = tests->stable_lately();
  reached(SimPoint::StableBreaksToo);
  judgement.verdict = Verdict::BothBreach;
  judgement.message = fmt::format("{}; stable breaks it as well, with {} lately: not its fault",
                                  against_bound(view), rate(stable.bad, stable.total));
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
  judgement.kept_here = seen.failing == 0 && seen.judged_here >= value.fail_after;
}

Judgement judge_one(const CanaryPolicySpec& policy, const Objective& objective,
                    const ObjectiveEvidence& seen, const Occasion& occasion) {
  Judgement judgement{objective.name, Verdict::NoData, "", "", ""};
  if (objective.ratio) {
    const bool compares = objective.ratio->versus_stable && !occasion.alone;
    const RatioView view{*objective.ratio, seen, compares, needed_evidence(policy)};
    judge_ratio(judgement, view);
    if (!occasion.alone) excuse_by_stable(judgement, view);
  } else {
    judge_value(judgement, *objective.value, seen);
  }
  const auto interval = objective.value ? objective.value->interval : policy.judge.interval;
  // Evidence of a breach stays evidence when the source goes away.
  if (judgement.verdict == Verdict::Breach) {
    if (objective.severity == Severity::Warning) judgement.verdict = Verdict::Warning;
  } else if (seen.source_error) {
    judgement.verdict = Verdict::SourceError;
    judgement.message = "the source cannot be read: " + seen.source_error->message;
  } else if (const auto why = lacks_data(objective, seen, interval, occasion); !why.empty()) {
    judgement.verdict = Verdict::NoData;
    judgement.message = why;
    judgement.lacks_only_stable = why == kNothingToCompare;
  }
  return judgement;
}

// It only compares, and stable has no traffic.
bool is_left_out(const Objective& objective, const Occasion& occasion) {
  return occasion.alone && objective.ratio && !objective.ratio->at_most;
}

// A ratio has to show it: a few values in a row are no proof, and without objectives there is none at all.
bool ends_early(const CanaryPolicySpec& policy, const std::vector<Judgement>& judgements) {
  if (policy.judge.advance != Advance::Early) return false;
  bool shown = false;
  for (const auto& judgement : judgements) {
    const auto objective =
        std::find_if(policy.objectives.begin(), policy.objectives.end(),
                     [&](const Objective& each) { return each.name == judgement.objective; });
    if (objective->severity == Severity::Warning) continue;
    if (judgement.verdict != Verdict::Pass || !judgement.kept_here) return false;
    shown = shown || objective->ratio;
  }
  return shown;
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
    case Verdict::BothBreach: return objective.severity == Severity::Warning;
    case Verdict::Breach: return false;
  }
  return false;
}

// Words that stay the same from sample to sample: they become the status's message. The numbers are in its judgement.
std::string why_held(const Judgement& judgement) {
  const auto& name = judgement.objective;
  switch (judgement.verdict) {
    case Verdict::NoData:
    case Verdict::SourceError:
      return fmt::format("{} is {}: {}", name, to_string(judgement.verdict), judgement.message);
    case Verdict::BothBreach:
      return fmt::format("{} is BothBreach: stable breaks it as well", name);
    default:
      return fmt::format("{} is {} ({})", name, to_string(judgement.verdict), judgement.bound);
  }
}

bool breaks(const Objective& objective, const Judgement& judgement, bool hold_over) {
  if (judgement.verdict == Verdict::Breach) return true;
  return judgement.verdict == Verdict::NoData && !judgement.lacks_only_stable && hold_over &&
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
    case Verdict::BothBreach: return "BothBreach";
    case Verdict::Breach: return "Breach";
  }
  return "NoData";
}

double needed_evidence(const CanaryPolicySpec& policy) {
  int tests = 0;
  for (const auto& objective : policy.objectives) {
    if (objective.ratio && objective.severity == Severity::Critical)
      tests += tests_of(*objective.ratio);
  }
  return std::max(1, tests) / policy.judge.max_false_rollback;
}

std::string bound_text(const RatioObjective& ratio) {
  auto versus = ratio.versus_stable ? "no more than " + margin_text(*ratio.versus_stable) : "";
  if (!ratio.at_most) return versus;
  return "at most " + percent(*ratio.at_most) + (versus.empty() ? "" : "; " + versus);
}

Ruling judge(const CanaryPolicySpec& policy, const Evidence& evidence, const Occasion& occasion) {
  static const ObjectiveEvidence kNone;
  Ruling ruling;
  ruling.may_advance = true;
  for (const auto& objective : policy.objectives) {
    if (is_left_out(objective, occasion)) continue;
    const auto seen = evidence.find(objective.name);
    auto judgement =
        judge_one(policy, objective, seen == evidence.end() ? kNone : seen->second, occasion);
    if (!ruling.breach && breaks(objective, judgement, occasion.hold_over))
      ruling.breach = judgement;
    if (ruling.may_advance && !allows(policy, objective, judgement)) {
      ruling.may_advance = false;
      ruling.holding = why_held(judgement);
    }
    ruling.judgements.push_back(std::move(judgement));
  }
  ruling.may_advance_early = ruling.may_advance && ends_early(policy, ruling.judgements);
  return ruling;
}

}  // namespace weir
