#include "stats/betting.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace weir {
namespace {

constexpr std::array kOddsRatios{1.25, 1.5, 2.0, 3.0, 5.0, 10.0};

// Multiplying the odds instead of the proportion keeps every alternative inside (0, 1).
double with_odds_times(double p, double factor) {
  const double odds = p / (1 - p) * factor;
  return odds / (1 + odds);
}

double log_likelihood_ratio(double bad, double good, double p1, double p0) {
  return bad * std::log(p1 / p0) + good * std::log((1 - p1) / (1 - p0));
}

double mixture(double bad, double total, double bound, bool above) {
  double sum = 0;
  for (const double ratio : kOddsRatios) {
    const double p1 = with_odds_times(bound, above ? ratio : 1 / ratio);
    // Capped: e^700 is near the largest double, and any such evidence is certainty.
    sum += std::exp(std::min(700.0, log_likelihood_ratio(bad, total - bad, p1, bound)));
  }
  return sum / static_cast<double>(kOddsRatios.size());
}

}  // namespace

double evidence_above(double bad, double total, double bound) {
  return mixture(bad, total, bound, true);
}

double evidence_below(double bad, double total, double bound) {
  return mixture(bad, total, bound, false);
}

}  // namespace weir
