#include "replay/forecast.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "delivery/judge.h"
#include "replay/objectives.h"
#include "replay/poisson_requests.h"

namespace weir {
namespace {

constexpr double kLargestFactor = 1000;
constexpr int kBisections = 8;      // of the logarithm of a factor: steps of 3 percent at most
constexpr double kRounding = 1e-9;  // a rate at the very bound does not break it
constexpr std::uint64_t kCell = 6;  // of the random numbers
constexpr WallTime kBegins{};
constexpr double kTellableFactor = 10;  // a step that cannot see even this is worth a warning

// A release in the middle of it, and its traffic.
struct Rehearsal {
  StagedRelease release;
  PoissonRequests requests;

  bool goes_on() const { return release.ending() == Ending::UnderWay; }
  void go_on() { release.go_on(requests); }
  std::size_t step() const { return release.stays().size(); }  // 1-based
};

double seconds_between(WallTime from, WallTime to) {
  return std::chrono::duration<double>(to - from).count();
}

// Nothing when it is not among them: more than half have none.
std::optional<double> median(std::vector<double> values, std::size_t of) {
  std::sort(values.begin(), values.end());
  const auto middle = of / 2;
  return middle < values.size() ? std::optional(values[middle]) : std::nullopt;
}

// Whether a canary with this share of bad answers breaks a bound that is judged at this weight. The policy has one objective.
bool is_breach(const RatioObjective& ratio, double stable, double canary, bool alone) {
  const double slack = 1 + kRounding;
  if (ratio.at_most && canary > *ratio.at_most * slack) return true;
  if (!ratio.versus_stable || alone) return false;
  const auto& margin = *ratio.versus_stable;
  return canary > stable * margin.times * slack && canary > (stable + margin.plus) * slack;
}

class Forecaster {
 public:
  Forecaster(CanaryPolicySpec policy, const ForecastInput& input)
      : policy_(std::move(policy)), input_(input), starts_(policy_.steps.size()) {}

  Forecast run() {
    forecast_.runs = input_.runs;
    forecast_.objective = objective().name;
    forecast_.bound = bound_text(*objective().ratio);
    forecast_.needed_evidence = needed_evidence(policy_);
    forecast_.watch = policy_.watch;
    for (const auto& step : policy_.steps) {
      forecast_.steps.push_back({step.weight, step.hold});
      if (step.weight == 100) forecast_.steps.back().hold += policy_.watch;
    }
    rehearse_healthy();
    for (std::size_t step = 0; step < starts_.size(); ++step) look_at(step);
    return std::move(forecast_);
  }

 private:
  const Objective& objective() const { return policy_.objectives.front(); }

  // Keeps the moment at which each step began, to let it turn out badly from there.
  void rehearse_healthy() {
    std::vector<double> promoted;
    for (int run = 0; run < input_.runs; ++run) {
      Rehearsal healthy{StagedRelease(policy_, kBegins),
                        PoissonRequests(input_.requests_per_second, input_.error_rate,
                                        Rng(kCell, static_cast<std::uint64_t>(run)))};
      while (healthy.goes_on()) {
        const auto before = healthy.step();
        healthy.go_on();
        if (healthy.step() != before) starts_[healthy.step() - 1].push_back(healthy);
      }
      const auto& release = healthy.release;
      if (release.promoted()) promoted.push_back(seconds_between(kBegins, *release.promoted()));
      forecast_.taken_back += release.ending() == Ending::RolledBack ? 1 : 0;
      forecast_.awaiting += release.ending() == Ending::AwaitsPerson ? 1 : 0;
      add_stays(release);
    }
    forecast_.seconds_to_promotion =
        median(std::move(promoted), static_cast<std::size_t>(input_.runs));
    for (std::size_t step = 0; step < starts_.size(); ++step) {
      auto& told = forecast_.steps[step];
      told.seconds /= std::max<double>(1, static_cast<double>(starts_[step].size()));
      told.canary_requests = told.seconds * input_.requests_per_second * told.weight / 100;
    }
  }

  void add_stays(const StagedRelease& release) {
    const auto& stays = release.stays();
    for (std::size_t step = 0; step < stays.size(); ++step) {
      const auto until = step + 1 < stays.size() ? stays[step + 1].since : release.now();
      forecast_.steps[step].seconds += seconds_between(stays[step].since, until);
    }
  }

  bool breaks_at(const StepForecast& step, double factor) const {
    const double canary = std::min(1.0, input_.error_rate * factor);
    return is_breach(*objective().ratio, input_.error_rate, canary, step.weight == 100);
  }

  void look_at(std::size_t step) {
    auto& told = forecast_.steps[step];
    told.judged = told.weight < 100 || objective().ratio->at_most.has_value();
    told.smallest = smallest(step);
    for (const double factor : input_.factors) {
      // A rate cannot be above 1.
      if (input_.error_rate * factor <= 1) told.regressions.push_back(regression(step, factor));
    }
  }

  // What becomes of a canary that is `factor` times as bad from the beginning of the step on.
  RegressionForecast regression(std::size_t step, double factor) const {
    RegressionForecast result;
    result.factor = factor;
    for (std::size_t later = step; later < starts_.size(); ++later)
      result.is_breach = result.is_breach || breaks_at(forecast_.steps[later], factor);
    std::vector<double> seconds;
    double here = 0;
    for (Rehearsal bad : starts_[step]) {
      const auto since = bad.release.now();
      bad.requests.set_factor(factor);
      while (bad.goes_on()) bad.go_on();
      result.hurt += bad.requests.hurt();
      if (bad.release.ending() != Ending::RolledBack) continue;
      seconds.push_back(seconds_between(since, bad.release.now()));
      here += bad.step() == step + 1 ? 1 : 0;
    }
    const auto runs = starts_[step].size();
    const double all = std::max<double>(1, static_cast<double>(runs));
    result.found = static_cast<double>(seconds.size()) / all;
    result.found_here = here / all;
    result.hurt /= all;
    result.seconds = median(std::move(seconds), runs);
    return result;
  }

  bool is_found(std::size_t step, double factor) const {
    if (!breaks_at(forecast_.steps[step], factor)) return false;
    const double allowed = (1 - kFoundShare) * static_cast<double>(starts_[step].size());
    double missed = 0;
    for (Rehearsal bad : starts_[step]) {
      bad.requests.set_factor(factor);
      while (bad.goes_on() && bad.step() == step + 1) bad.go_on();
      const bool here = bad.release.ending() == Ending::RolledBack && bad.step() == step + 1;
      missed += here ? 0 : 1;
      if (missed > allowed) return false;
    }
    return !starts_[step].empty();
  }

  std::optional<double> smallest(std::size_t step) const {
    double high = std::log(std::min(kLargestFactor, 1 / input_.error_rate));
    if (!forecast_.steps[step].judged || !is_found(step, std::exp(high))) return std::nullopt;
    double low = 0;
    for (int i = 0; i < kBisections; ++i) {
      const double middle = (low + high) / 2;
      (is_found(step, std::exp(middle)) ? high : low) = middle;
    }
    return std::exp(high);
  }

  const CanaryPolicySpec policy_;
  const ForecastInput& input_;
  std::vector<std::vector<Rehearsal>> starts_;  // by step
  Forecast forecast_;
};

Error wrong(std::string message) { return {ErrorKind::Invalid, std::move(message)}; }

// The name of the one that is looked at.
Result<std::string> choose(const CanaryPolicySpec& policy, const std::string& wanted) {
  std::string names;
  for (const auto& objective : policy.objectives) {
    const bool chosen =
        wanted.empty() ? objective.severity == Severity::Critical : objective.name == wanted;
    if (objective.ratio && chosen) return objective.name;
    if (objective.ratio) names += (names.empty() ? "" : ", ") + objective.name;
  }
  if (wanted.empty())
    return wrong("the policy has no Critical ratio objective: there is no rollback to rehearse");
  return wrong(fmt::format("objective: found \"{}\", must be one of the ratio objectives: {}",
                           wanted, names.empty() ? "there are none" : names));
}

Result<void> check(const CanaryPolicySpec& policy, const ForecastInput& input) {
  // Written so that NaN is refused.
  if (!(input.requests_per_second > 0 && input.requests_per_second <= kMaxRequestsPerSecond))
    return wrong(fmt::format("requests per second: found {:g}, must be above 0, at most {:g}",
                             input.requests_per_second, kMaxRequestsPerSecond));
  if (!(input.error_rate > 0 && input.error_rate < 1))
    return wrong(fmt::format("error rate: found {:g}, must be above 0 and below 1, as a share",
                             input.error_rate));
  if (input.runs < kMinRuns || input.runs > kMaxRuns)
    return wrong(fmt::format("runs: found {}, must be {} to {}", input.runs, kMinRuns, kMaxRuns));
  for (const double factor : input.factors) {
    if (!(factor > 1 && factor <= kLargestFactor))
      return wrong(
          fmt::format("factor: found {:g}, must be above 1, at most {:g}", factor, kLargestFactor));
  }
  milliseconds holds = std::min<milliseconds>(policy.watch, kRehearsedWatch);
  for (const auto& step : policy.steps) holds += step.hold;
  const double samples = std::chrono::duration<double>(holds) / policy.judge.interval;
  if (samples > kMaxRehearsedSamples)
    return wrong(
        fmt::format("the policy's release is {:.0f} samples long, at most {:.0f} can be "
                    "rehearsed: shorten the holds, or raise judge.interval",
                    samples, kMaxRehearsedSamples));
  return {};
}

// Time of a step in which samples are judged.
milliseconds judged_time(const CanaryPolicySpec& policy, const StepForecast& step) {
  return step.hold - policy.judge.warmup - policy.judge.interval;
}

void warn(const CanaryPolicySpec& policy, const ForecastInput& input, Forecast& forecast) {
  const auto say = [&](std::string text) { forecast.warnings.push_back(std::move(text)); };
  for (const auto& step : forecast.steps) {
    if (!step.judged) continue;
    if (judged_time(policy, step).count() <= 0) {
      say(fmt::format("{} %: the hold is over before a sample is judged (warmup, interval)",
                      step.weight));
      continue;
    }
    const double most = 1 / input.error_rate;
    if (!step.smallest)
      say(fmt::format("{} %: {:.{}f} requests of the canary are too few to see anything",
                      step.weight, step.canary_requests, step.canary_requests < 10 ? 1 : 0));
    else if (*step.smallest > kTellableFactor && kTellableFactor < most)
      say(fmt::format("{} %: only from {:.3g} times stable's errors on a regression is found here",
                      step.weight, *step.smallest));
  }
  if (forecast.awaiting * 10 > forecast.runs)
    say(
        fmt::format("{} of {} healthy releases wait for a person: no verdict that lets them go on "
                    "within maxHold",
                    forecast.awaiting, forecast.runs));
  if (const auto& names = forecast.objective; policy.objectives.size() > 1)
    say(fmt::format("only {} is rehearsed; the others are taken as kept", names));
}

}  // namespace

Result<Forecast> forecast(const CanaryPolicySpec& policy, const ForecastInput& input) {
  if (auto checked = check(policy, input); !checked) return checked.error();
  ASSIGN_OR_RETURN(const auto name, choose(policy, input.objective));
  auto rehearsed = with_objectives(policy, {name});
  rehearsed.watch = std::min<milliseconds>(policy.watch, kRehearsedWatch);
  Forecast result = Forecaster(rehearsed, input).run();
  warn(policy, input, result);
  if (rehearsed.watch < policy.watch)
    result.warnings.push_back("the watch is rehearsed for its first hour");
  return result;
}

}  // namespace weir
