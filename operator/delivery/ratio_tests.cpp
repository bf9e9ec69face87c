#include "delivery/ratio_tests.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace weir {
namespace {

constexpr double kReportAlpha = 0.05;

// In a checkpoint.
constexpr std::string_view kAbove = "above";
constexpr std::string_view kBelow = "below";
constexpr std::string_view kWorse = "worse";
constexpr std::string_view kNoWorse = "no-worse";

// Nothing when the bounds are not those of a decoded objective.
template <typename Test>
std::optional<Test> made(Result<Test> test) {
  if (!test) return std::nullopt;
  return *std::move(test);
}

std::string percent(double fraction) { return fmt::format("{:.3g}%", fraction * 100); }

std::string times_text(const Interval& times) {
  const bool has_low = times.low > 0;
  const bool has_high = std::isfinite(times.high);
  if (has_low && has_high)
    return fmt::format("{:.2g} to {:.2g} times stable's", times.low, times.high);
  if (has_low) return fmt::format("at least {:.2g} times stable's", times.low);
  return has_high ? fmt::format("at most {:.2g} times stable's", times.high) : "";
}

// " 0.25": "{:.7g}" of fmt, which takes several times as long; each pass that judges writes a dozen.
void put_number(std::string& text, double number) {
  std::array<char, 32> digits{};
  auto* const end = std::to_chars(digits.data(), digits.data() + digits.size(), number,
                                  std::chars_format::general, 7)
                        .ptr;
  text += ' ';
  text.append(digits.data(), end);
}

// Of "name 1 2 3;other 4": the numbers of a name; nothing when one of them is none.
std::optional<std::vector<double>> numbers_of(const std::string& text, std::string_view name) {
  auto found = text.find(name);
  while (found != std::string::npos && found != 0 && text[found - 1] != ';')
    found = text.find(name, found + 1);
  if (found == std::string::npos) return std::nullopt;
  std::vector<double> numbers;
  const char* at = text.c_str() + found + name.size();
  while (*at == ' ') {
    char* end = nullptr;
    numbers.push_back(std::strtod(at, &end));
    if (end == at || !std::isfinite(numbers.back())) return std::nullopt;
    at = end;
  }
  return numbers;
}

}  // namespace

RatioTests::RatioTests(const RatioObjective& objective)
    : at_most_(objective.at_most), may_end_early_(objective.may_end_early) {
  if (at_most_) {
    above_ = made(AtMost::create(*at_most_, AtMost::Claim::Above));
    below_ = made(AtMost::create(*at_most_, AtMost::Claim::Below));
  }
  if (objective.versus_stable) {
    margin_ = Margin{objective.versus_stable->times, objective.versus_stable->plus};
    worse_ = made(VersusStable::create(*margin_, Claim::Worse));
    no_worse_ = made(VersusStable::create(*margin_, Claim::NotWorse));
  }
  begin_here();
}

void RatioTests::begin_here() {
  if (!may_end_early_) return;
  if (at_most_) below_here_ = made(AtMost::create(*at_most_, AtMost::Claim::Below));
  if (margin_) no_worse_here_ = made(VersusStable::create(*margin_, Claim::NotWorse));
}

bool RatioTests::kept_here(bool compares, double level) const {
  if (!may_end_early_ || (!below_here_ && !compares)) return false;
  return (!below_here_ || below_here_->evidence() >= level) &&
         (!compares || (no_worse_here_ && no_worse_here_->evidence() >= level));
}

// As it was known before the sample that is judged by it.
double RatioTests::dispersion() const { return std::max(known_bursts_, bursts_.value()); }

bool RatioTests::stable_breaks() const {
  return compared_ && at_most_ && stable_lately_.exceeds(*at_most_);
}

bool RatioTests::both_break() const { return stable_breaks() && canary_lately_.exceeds(*at_most_); }

Result<void> RatioTests::add(const RatioSample& sample) {
  if (auto checked = check_counts("canary", sample.canary); !checked) return checked;
  if (auto checked = check_counts("stable", sample.stable.value_or(Counts{})); !checked)
    return checked;
  const double bursts = dispersion();
  compared_ = sample.stable.has_value();
  canary_lately_.add(sample.canary, sample.seconds);
  if (sample.stable) {
    stable_lately_.add(*sample.stable, sample.seconds);
    if (worse_) (void)worse_->add(sample.canary, *sample.stable, bursts);
    if (no_worse_) (void)no_worse_->add(sample.canary, *sample.stable, bursts);
    if (no_worse_here_) (void)no_worse_here_->add(sample.canary, *sample.stable, bursts);
    (void)times_stable_.add(sample.canary, *sample.stable, bursts);
    if (sample.seconds > 0) (void)bursts_.add(*sample.stable, sample.seconds);
  }
  // What stable suffers from as well is no fault of the canary's: nothing is bet on it.
  if (above_ && !stable_breaks()) (void)above_->add(sample.canary, bursts);
  if (below_) (void)below_->add(sample.canary, bursts);
  if (below_here_) (void)below_here_->add(sample.canary, bursts);
  return {};
}

void RatioTests::begin_step() {
  if (above_) above_->begin_step();
  if (below_) below_->begin_step();
  if (worse_) worse_->begin_step();
  if (no_worse_) no_worse_->begin_step();
  begin_here();
  times_stable_.begin_step();
}

std::string RatioTests::interval(const Counts& sum) const {
  if (sum.total <= 0) return "";
  const auto rate = rate_interval(sum, kReportAlpha, dispersion());
  if (!rate) return "";
  auto text = fmt::format("{} to {}", percent(rate->low), percent(rate->high));
  const auto times = times_stable_.interval(kReportAlpha);
  if (const auto said = times ? times_text(*times) : ""; !said.empty()) text += "; " + said;
  if (dispersion() > 1) text += fmt::format("; errors come {:.0f} at a time", dispersion());
  return text;
}

std::string RatioTests::checkpoint() const {
  std::string text = "bursts";
  put_number(text, dispersion());
  const auto put = [&](std::string_view name, const auto& test) {
    if (!test) return;
    text += ';';
    text += name;
    for (const double number : test->memory()) put_number(text, number);
  };
  put(kAbove, above_);
  put(kBelow, below_);
  put(kWorse, worse_);
  put(kNoWorse, no_worse_);
  return text;
}

Result<void> RatioTests::recall(const std::string& checkpoint) {
  RatioTests recalled = *this;
  const auto bursts = numbers_of(checkpoint, "bursts");
  bool good = bursts && bursts->size() == 1 && check_dispersion(bursts->front());
  const auto recall = [&](std::string_view name, auto& test) {
    if (!test || !good) return;
    const auto numbers = numbers_of(checkpoint, name);
    good = numbers && test->recall(*numbers);
  };
  recall(kAbove, recalled.above_);
  recall(kBelow, recalled.below_);
  recall(kWorse, recalled.worse_);
  recall(kNoWorse, recalled.no_worse_);
  if (!good) return Error{ErrorKind::Invalid, "checkpoint: not one of this objective"};
  recalled.known_bursts_ = bursts->front();
  *this = std::move(recalled);
  return {};
}

}  // namespace weir
