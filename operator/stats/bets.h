// The capital of a gambler who bets against a hypothesis: how sequential tests add up their evidence.
//
// One bet multiplies its stake, sample after sample, by a likelihood ratio whose mean is at most 1 while the hypothesis holds. Nobody
// knows how large the effect is, nor when it begins, so the capital of 1 is split twice: among effect sizes, and among the moments at
// which a bet is opened. A weighted mean of such bets is again one, and by Ville's inequality it ever reaches 1/alpha with probability
// at most alpha, however often it is looked at. (Ville 1939; Shafer 2021, "Testing by betting"; for the sum over starts: Shin, Ramdas,
// Rinaldo 2022, "E-detectors", here with weights whose sum is 1, which keeps alpha for the whole release.)
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "base/result.h"

namespace weir {

inline constexpr std::size_t kEffects = 7;
// How many times worse (odds or rates) than what the hypothesis allows, and the share of the capital on each.
inline constexpr std::array<double, kEffects> kEffectSizes{1.15, 1.4, 1.8, 2.6, 4.2, 7.5, 16};
inline constexpr std::array<double, kEffects> kEffectShares{0.05, 0.09, 0.17, 0.2, 0.2, 0.17, 0.12};

// Memory does not grow: all bets on one effect are one sum, whenever they were opened. Not thread-safe.
class Bets {
 public:
  Bets();

  // Something changed (the weight of the canary): a good moment to open more bets.
  void begin_step();

  // One sample: the logarithm of the likelihood ratio of each effect. Finite.
  void play(const std::array<double, kEffects>& log_growth);

  // The sample just played had a bad request, as every regression's first one has: it may begin from here on.
  void note_bad();

  // Capital now, with what is still to be staked; 1 at first. An e-value at every moment.
  double capital() const;

  // Everything that is to be known to go on elsewhere.
  static constexpr std::size_t kMemory = kEffects + 4;
  std::array<double, kMemory> memory() const;
  // Refused, and nothing changed: numbers that no capital can have.
  Result<void> recall(std::span<const double, kMemory> memory);

 private:
  void open(double share);

  std::array<double, kEffects> held_{};  // by effect
  double reserve_ = 1;                   // not staked yet
  bool played_ = false;
  int bad_samples_ = 0;
  int steps_ = 0;
};

}  // namespace weir
