#include "cli/explanation.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/codec.h"
#include "base/time_format.h"
#include "cli/output.h"
#include "cli/release_tree.h"
#include "delivery/release_questions.h"

namespace weir {
namespace {

std::string ago(WallTime since, WallTime now) { return short_age(since, now) + " ago"; }

// "2026-11-21T14:42:35Z (in 12s)"
std::string until(WallTime at, WallTime now) {
  if (at <= now) return fmt::format("{} ({} ago)", format_time(at), short_age(at, now));
  return fmt::format("{} (in {})", format_time(at), short_age(now, at));
}

std::string serving(const ReleaseStatus& status, WallTime now) {
  std::string text;
  if (const auto& canary = status.canary) {
    text += fmt::format(" {} is at step {} of {} with {} % of the traffic", canary->revision,
                        canary->step, canary->steps, weight_of(status, canary->revision));
    if (canary->accepted) text += fmt::format(", accepted {}", ago(*canary->accepted, now));
    text += fmt::format(", {} of {} pods ready.", canary->ready, canary->replicas);
  }
  if (const auto& stable = status.stable)
    text += fmt::format(" {} has {} % with {} of {} pods ready.", stable->revision,
                        weight_of(status, stable->revision), stable->ready, stable->replicas);
  return text;
}

// When the present weight's hold ends; nothing while it has not begun.
std::optional<WallTime> hold_end(const CanaryStatus& canary, const CanaryPolicySpec& policy) {
  if (!canary.since || canary.step < 1) return std::nullopt;
  const auto step = static_cast<std::size_t>(canary.step);
  if (step > policy.steps.size()) return std::nullopt;
  return *canary.since + policy.steps[step - 1].hold;
}

std::string next_step(const CanaryStatus& canary, const CanaryPolicySpec& policy, WallTime now) {
  std::string text = " Next: ";
  const auto step = static_cast<std::size_t>(std::max(canary.step, 0));
  const auto end = hold_end(canary, policy);
  if (step > 0 && !end)
    text +=
        "the hold begins when the gateway has accepted the weight and the pods are ready; then ";
  else if (end && now < *end)
    text += fmt::format("the hold ends at {}; then ", until(*end, now));
  else if (end)
    text += fmt::format("the hold is over since {}; when no objective holds it any more, ",
                        format_time(*end));
  if (step < policy.steps.size())
    text += fmt::format("{} %, as soon as there are ready pods for it.", policy.steps[step].weight);
  else
    text += "promotion.";
  if (end && step < policy.steps.size())
    text += fmt::format(" After {} without a decision a person is asked.",
                        format_time(*end + policy.max_hold));
  return text + " A breach sets the weight to 0 at once.";
}

std::string what_next(const Release& release, const CanaryPolicySpec* policy, WallTime now) {
  const auto& status = release.status;
  switch (status.phase) {
    case Phase::RolledBack:
      return fmt::format(" Next: nothing, until the spec asks for another revision than {}.",
                         status.last_rollback ? status.last_rollback->revision : "this");
    case Phase::RollingBack:
      return " Next: RolledBack, once the pods that were taken back are gone.";
    case Phase::AwaitingApproval: return " Next: nothing by itself; a person decides.";
    default: break;
  }
  if (status.canary) return policy != nullptr ? next_step(*status.canary, *policy, now) : "";
  if (status.promotion && status.promotion->watch_until && *status.promotion->watch_until > now)
    return fmt::format(" Next: watched until {}; a breach before then gives everything back to {}.",
                       until(*status.promotion->watch_until, now), status.promotion->previous);
  return status.phase == Phase::Healthy ? " Next: nothing, until the spec changes." : "";
}

// What the verdict means for the step.
std::string_view consequence(const Objective& objective, const JudgeSettings& judge,
                             const std::string& verdict) {
  if (verdict == "Pass") return "lets the step go on";
  if (verdict == "Warning") return "broken, but only a warning: the step goes on";
  if (verdict == "Breach") return "broken: rolled back";
  if (verdict == "BothBreach")
    return objective.severity == Severity::Warning ? "stable breaks it as well: the step goes on"
                                                   : "stable breaks it as well: holds the step";
  if (verdict == "Unsure")
    return objective.on_unsure == WhenUnsure::Advance ? "lets the step go on after its hold"
                                                      : "holds the step";
  if (verdict == "SourceError")
    return judge.on_source_error == WhenSourceError::Advance ? "lets the step go on after its hold"
                                                             : "holds the step";
  switch (objective.on_no_data) {
    case WhenNoData::Advance: return "lets the step go on after its hold";
    case WhenNoData::Rollback: return "rolls back after the hold";
    case WhenNoData::Hold: break;
  }
  return "holds the step";
}

std::string counts(const JudgementStatus& judgement, WallTime now) {
  std::string text;
  if (judgement.total > 0)
    text += fmt::format("{} of {} bad, {} of {} judged (after warm-up)", judgement.bad,
                        judgement.total, judgement.judged_bad, judgement.judged_total);
  if (judgement.stable_total > 0)
    text +=
        fmt::format(", stable {} of {} meanwhile", judgement.stable_bad, judgement.stable_total);
  if (!judgement.value.empty())
    text += fmt::format("{}{}", text.empty() ? "" : ", ", judgement.value);
  if (judgement.sampled)
    text +=
        fmt::format("{}newest sample {}", text.empty() ? "" : "; ", ago(*judgement.sampled, now));
  return text.empty() ? "nothing" : text;
}

std::string judgement_text(const JudgementStatus& judgement, WallTime now) {
  auto text = fmt::format("  found    {}\n  allowed  {}\n  seen     {}\n", judgement.message,
                          judgement.bound, counts(judgement, now));
  if (!judgement.interval.empty())
    text += fmt::format("  truth    {} (95 % sure, if errors come no burstier than stable's)\n",
                        judgement.interval);
  if (!judgement.evidence.empty())
    text += fmt::format("  evidence {} against it; {} is a breach\n", judgement.evidence,
                        judgement.needed);
  return text;
}

// When the next sample is due that may decide; nothing when none is.
std::string decides_text(const JudgementStatus& judgement, const Objective& objective,
                         const Release& release, const JudgeSettings& judge, WallTime now) {
  const auto interval = objective.value ? objective.value->interval : judge.interval;
  const auto& canary = release.status.canary;
  if (canary && !canary->accepted) return "";
  const auto warm = canary ? *canary->accepted + judge.warmup : now;
  if (warm > now)
    return fmt::format("  decides  after the warm-up, from {} on\n", until(warm, now));
  if (!judgement.sampled) return "";
  auto next = *judgement.sampled;
  if (next <= now) next += interval * ((now - next) / interval + 1);
  return fmt::format("  decides  with every sample; the next is due at {}\n", until(next, now));
}

std::string query_text(const Objective& objective, const Release& release,
                       const std::string& revision) {
  const auto filled = [&](const std::string& query) {
    return revision.empty() ? query : fill_placeholders(query, release, revision);
  };
  if (objective.value)
    return fmt::format("  query    {}\n  every    {}, broken after {} in a row\n",
                       filled(objective.value->query), format_duration(objective.value->interval),
                       objective.value->fail_after);
  const auto& queries = objective.ratio->queries;
  const bool by_good = !queries.good.empty();
  return fmt::format("  {}     {}\n  total    {}\n", by_good ? "good" : "bad ",
                     filled(by_good ? queries.good : queries.bad), filled(queries.total));
}

const JudgementStatus* judgement_of(const ReleaseStatus& status, const std::string& objective) {
  const auto found = std::find_if(status.judgement.begin(), status.judgement.end(),
                                  [&](const auto& j) { return j.objective == objective; });
  return found == status.judgement.end() ? nullptr : &*found;
}

// The revision that is judged now; "" = none.
std::string judged_revision(const ReleaseStatus& status) {
  if (status.canary) return status.canary->revision;
  return status.promotion && status.promotion->watch_until ? status.promotion->revision : "";
}

std::string objectives_text(const Release& release, const CanaryPolicySpec& policy, WallTime now) {
  std::string text;
  const auto revision = judged_revision(release.status);
  for (const auto& objective : policy.objectives) {
    const auto severity = objective.severity == Severity::Critical ? "Critical" : "Warning";
    const auto* judgement = judgement_of(release.status, objective.name);
    if (judgement == nullptr || revision.empty()) {
      text += fmt::format("objective {} ({}): not judged now\n", objective.name, severity);
    } else {
      text +=
          fmt::format("objective {} ({}): {}, {}\n", objective.name, severity, judgement->verdict,
                      consequence(objective, policy.judge, judgement->verdict));
      text += judgement_text(*judgement, now);
      text += decides_text(*judgement, objective, release, policy.judge, now);
    }
    text += query_text(objective, release, revision);
  }
  return text;
}

std::string policy_line(const Release& release, const CanaryPolicy& policy, WallTime now) {
  const auto& status = release.status;
  const auto& judge = policy.spec->judge;
  auto text = fmt::format(
      "policy {}, generation {}: asked every {}, not judged in the first {} of a weight; false "
      "rollbacks at most {:g}%",
      policy.meta.key.name, policy.meta.generation, format_duration(judge.interval),
      format_duration(judge.warmup), judge.max_false_rollback * 100);
  if (status.judged) text += fmt::format("; judgement of {}", ago(*status.judged, now));
  if (status.policy_generation != 0 &&
      (status.policy_generation != policy.meta.generation || status.policy != policy.meta.key.name))
    text += fmt::format(
        "\n  what runs was started with {}, generation {}: an edit applies to the next release",
        status.policy, status.policy_generation);
  return text + "\n";
}

std::string rollback_text(const RollbackStatus& rollback, WallTime now) {
  auto text = fmt::format("last rollback: {}", rollback.revision);
  if (rollback.at)
    text += fmt::format(" at {} ({})", format_time(*rollback.at), ago(*rollback.at, now));
  text += fmt::format(": {}: {}", rollback.reason, rollback.message);
  if (rollback.at && rollback.bad_since) {
    const auto took = std::chrono::duration<double>(*rollback.at - *rollback.bad_since).count();
    text += fmt::format("; {:.1f} s from the first bad sample to weight 0", std::max(took, 0.0));
  }
  return text + "\n";
}

}  // namespace

std::string explain_release(const Release& release, const Result<CanaryPolicy>& policy,
                            WallTime now) {
  const auto& status = release.status;
  const bool usable = policy && policy->spec;
  auto text = fmt::format("{} is {}: {}.", to_string(release.meta.key), to_string(status.phase),
                          status.message.empty() ? "not seen by the operator yet" : status.message);
  if (status.observed_generation < release.meta.generation && status.observed_generation > 0)
    text += fmt::format(" The operator has not seen the latest spec yet (generation {} of {}).",
                        status.observed_generation, release.meta.generation);
  text += serving(status, now);
  text += what_next(release, usable ? &*policy->spec : nullptr, now) + "\n";
  if (!release.spec) text += fmt::format("spec: {}\n", release.spec.error().message);
  if (usable) {
    text += policy_line(release, *policy, now);
    text += objectives_text(release, *policy->spec, now);
  } else {
    const auto& error = policy ? policy->spec.error() : policy.error();
    text += fmt::format("policy: {}\n", error.message);
    for (const auto& judgement : status.judgement)
      text += fmt::format("objective {}: {}\n{}", judgement.objective, judgement.verdict,
                          judgement_text(judgement, now));
  }
  if (status.last_rollback) text += rollback_text(*status.last_rollback, now);
  return text;
}

}  // namespace weir
