// What the tests of this folder are fed with, and the checks that keep bad input away from them.
#pragma once

#include <string_view>

#include "base/result.h"

namespace weir {

// Requests of one version in one sample: the increments of its counters. Resets are resolved by the caller.
struct Counts {
  double bad = 0;
  double total = 0;
};

// Invalid, with the field's name, unless both are finite and 0 <= bad <= total <= 1e15 (beyond it sums lose single requests).
Result<void> check_counts(std::string_view field, const Counts& counts);

// How many times the variance of independent requests is to be expected: finite and at least 1 (stats/dispersion.h).
Result<void> check_dispersion(double dispersion);

}  // namespace weir
