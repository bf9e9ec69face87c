#include "stats/at_most.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace weir {

Result<AtMost> AtMost::create(double bound, Claim claim) {
  if (!(bound > 0 && bound < 1))
    return Error{ErrorKind::Invalid,
                 fmt::format("atMost is {:g}: allowed is above 0 and below 1", bound)};
  return AtMost(bound, claim);
}

AtMost::AtMost(double bound, Claim claim) {
  for (std::size_t i = 0; i < kEffects; ++i) {
    const double effect = claim == Claim::Above ? kEffectSizes[i] : 1 / kEffectSizes[i];
    // p1 = k p0 / scale and 1 - p1 = (1 - p0) / scale, without loss where a bound is tiny.
    const double log_scale = std::log1p(bound * (effect - 1));
    log_bad_[i] = std::log(effect) - log_scale;
    log_good_[i] = -log_scale;
  }
}

Result<void> AtMost::add(const Counts& counts, double dispersion) {
  if (auto checked = check_counts("canary", counts); !checked) return checked;
  if (auto checked = check_dispersion(dispersion); !checked) return checked;
  if (counts.total <= 0) return {};
  std::array<double, kEffects> log_growth;
  for (std::size_t i = 0; i < kEffects; ++i) {
    log_growth[i] =
        (counts.bad * log_bad_[i] + (counts.total - counts.bad) * log_good_[i]) / dispersion;
  }
  bets_.play(log_growth);
  if (counts.bad > 0) bets_.note_bad();
  evidence_ = std::max(evidence_, bets_.capital());
  return {};
}

std::vector<double> AtMost::memory() const {
  std::vector<double> memory{evidence_};
  const auto bets = bets_.memory();
  memory.insert(memory.end(), bets.begin(), bets.end());
  return memory;
}

Result<void> AtMost::recall(std::span<const double> memory) {
  if (memory.size() != 1 + Bets::kMemory || !(memory[0] >= 1))
    return Error{ErrorKind::Invalid, "these are not the numbers of such a test"};
  if (auto recalled = bets_.recall(memory.subspan<1, Bets::kMemory>()); !recalled) return recalled;
  evidence_ = memory[0];
  return {};
}

}  // namespace weir
