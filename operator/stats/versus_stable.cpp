#include "stats/versus_stable.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace weir {
namespace {

// Enough of each version to know how the traffic is split.
constexpr double kEnoughRequests = 20;

Result<void> check_margin(const Margin& margin) {
  if (!(margin.times >= 1 && margin.times <= 1e6))
    return Error{ErrorKind::Invalid,
                 fmt::format("atMostTimes is {:g}: allowed is 1 to 1e6", margin.times)};
  if (!(margin.plus >= 0 && margin.plus < 1))
    return Error{ErrorKind::Invalid,
                 fmt::format("plusAtMost is {:g}: allowed is 0 to below 1", margin.plus)};
  return {};
}

}  // namespace

void PairedSample::add(const Counts& more_canary, const Counts& more_stable) {
  canary.bad += more_canary.bad;
  canary.total += more_canary.total;
  stable.bad += more_stable.bad;
  stable.total += more_stable.total;
}

Result<VersusStable> VersusStable::create(const Margin& margin, Claim claim) {
  if (auto checked = check_margin(margin); !checked) return std::move(checked).error();
  // One that lies below the other everywhere would say nothing more.
  std::vector<Line> lines;
  if (margin.times > 1 || margin.plus == 0) lines.push_back({margin.times, 0, Bets()});
  if (margin.plus > 0) lines.push_back({1, margin.plus, Bets()});
  return VersusStable(std::move(lines), claim);
}

VersusStable::VersusStable(std::vector<Line> lines, Claim claim)
    : lines_(std::move(lines)), claim_(claim) {
  for (std::size_t i = 0; i < kEffects; ++i) {
    effects_[i] = claim == Claim::Worse ? kEffectSizes[i] : 1 / kEffectSizes[i];
    log_effects_[i] = std::log(effects_[i]);
  }
  for (const auto& line : lines_) counts_good_ = counts_good_ || line.plus > 0;
}

Result<void> VersusStable::add(const Counts& canary, const Counts& stable, double dispersion) {
  if (auto checked = check_counts("canary", canary); !checked) return checked;
  if (auto checked = check_counts("stable", stable); !checked) return checked;
  if (auto checked = check_dispersion(dispersion); !checked) return checked;
  sample_.add(canary, stable);
  const bool known =
      sample_.canary.total >= kEnoughRequests && sample_.stable.total >= kEnoughRequests;
  if (sample_.bad() > 0 || (counts_good_ && known)) play(dispersion);
  return {};
}

void VersusStable::begin_step() {
  sample_ = {};
  for (auto& line : lines_) line.bets.begin_step();
}

void VersusStable::play(double dispersion) {
  const double bad = sample_.bad();
  for (auto& line : lines_) {
    const double expected = line.times * sample_.canary.total;
    const double share = expected / (expected + sample_.stable.total);
    std::array<double, kEffects> log_growth;
    for (std::size_t i = 0; i < kEffects; ++i) {
      const double scale = 1 - share + effects_[i] * share;
      const double gained = sample_.canary.bad * log_effects_[i] - bad * std::log(scale);
      const double owed = line.plus * sample_.canary.total * (effects_[i] / scale - 1);
      log_growth[i] = (gained - owed) / dispersion;
    }
    line.bets.play(log_growth);
    if (sample_.canary.bad > 0) line.bets.note_bad();
  }
  sample_ = {};
  evidence_ = std::max(evidence_, present());
}

std::vector<double> VersusStable::memory() const {
  std::vector<double> memory{evidence_};
  for (const auto& line : lines_) {
    const auto bets = line.bets.memory();
    memory.insert(memory.end(), bets.begin(), bets.end());
  }
  return memory;
}

Result<void> VersusStable::recall(std::span<const double> memory) {
  if (memory.size() != 1 + lines_.size() * Bets::kMemory || !(memory[0] >= 1))
    return Error{ErrorKind::Invalid, "these are not the numbers of such a test"};
  auto lines = lines_;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto part = memory.subspan(1 + i * Bets::kMemory).first<Bets::kMemory>();
    if (auto recalled = lines[i].bets.recall(part); !recalled) return recalled;
  }
  lines_ = std::move(lines);
  sample_ = {};
  evidence_ = memory[0];
  return {};
}

// Worse is worse than both lines: the weaker evidence counts. Not worse is below either: then neither can be false alone, and
// the mean of both is evidence, too.
double VersusStable::present() const {
  double least = lines_.front().bets.capital();
  double sum = 0;
  for (const auto& line : lines_) {
    least = std::min(least, line.bets.capital());
    sum += line.bets.capital();
  }
  return claim_ == Claim::Worse ? least : sum / static_cast<double>(lines_.size());
}

}  // namespace weir
