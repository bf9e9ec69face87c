#include "stats/bets.h"

#include <algorithm>
#include <cmath>

namespace weir {
namespace {

// Of the capital: most regressions are there from the first request, many come with more traffic, some at any time.
constexpr double kAtOnce = 0.6;
constexpr double kAtSteps = 0.15;
constexpr double kAtAnyTime = 0.25;
// The bets at any time get smaller with their number n, as 1/n² from about here on.
constexpr double kSamplesOfRest = 150;

constexpr double kMostLog = 700;  // e^700 is near the largest double; either sign is certainty
constexpr double kMostCapital = 1e300;
constexpr double kMostLooks = 1e9;

}  // namespace

Bets::Bets() { open(kAtOnce); }

void Bets::open(double share) {
  reserve_ -= share;
  for (std::size_t i = 0; i < kEffects; ++i) held_[i] += share * kEffectShares[i];
}

void Bets::begin_step() {
  // The first step is the start itself. 1/(1·2) + 1/(2·3) + ... = 1.
  if (!played_) return;
  ++steps_;
  open(kAtSteps / (steps_ * (steps_ + 1.0)));
}

void Bets::play(const std::array<double, kEffects>& log_growth) {
  for (std::size_t i = 0; i < kEffects; ++i) {
    const double growth = std::exp(std::clamp(log_growth[i], -kMostLog, kMostLog));
    held_[i] = std::min(held_[i] * growth, kMostCapital);
  }
  played_ = true;
}

void Bets::note_bad() {
  const double n = bad_samples_ + kSamplesOfRest;
  open(kAtAnyTime * kSamplesOfRest /
       (n * (n + 1)));  // telescopes: the sum over all n is kAtAnyTime
  ++bad_samples_;
}

double Bets::capital() const {
  double sum = reserve_;
  for (const double held : held_) sum += held;
  return sum;
}

std::array<double, Bets::kMemory> Bets::memory() const {
  std::array<double, kMemory> memory{};
  std::copy(held_.begin(), held_.end(), memory.begin());
  memory[kEffects] = reserve_;
  memory[kEffects + 1] = played_ ? 1 : 0;
  memory[kEffects + 2] = bad_samples_;
  memory[kEffects + 3] = steps_;
  return memory;
}

Result<void> Bets::recall(std::span<const double, kMemory> memory) {
  const double reserve = memory[kEffects];
  const double bad_samples = memory[kEffects + 2];
  const double steps = memory[kEffects + 3];
  // Also false for NaN.
  bool possible = reserve >= 0 && reserve <= 1 && bad_samples >= 0 && bad_samples <= kMostLooks &&
                  steps >= 0 && steps <= kMostLooks;
  for (std::size_t i = 0; i < kEffects; ++i)
    possible = possible && memory[i] >= 0 && memory[i] <= kMostCapital;
  if (!possible) return Error{ErrorKind::Invalid, "no capital can have become this"};
  std::copy_n(memory.begin(), kEffects, held_.begin());
  reserve_ = reserve;
  played_ = memory[kEffects + 1] != 0;
  bad_samples_ = static_cast<int>(bad_samples);
  steps_ = static_cast<int>(steps);
  return {};
}

}  // namespace weir
