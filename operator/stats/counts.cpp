#include "stats/counts.h"

#include <fmt/format.h>

#include <cmath>

namespace weir {
namespace {

constexpr double kMostRequests = 1e15;

// Also false for NaN.
bool is_between(double value, double least, double most) { return value >= least && value <= most; }

}  // namespace

Result<void> check_counts(std::string_view field, const Counts& counts) {
  if (!is_between(counts.total, 0, kMostRequests))
    return Error{ErrorKind::Invalid, fmt::format("{}.total is {:g}: allowed is 0 to {:g}", field,
                                                 counts.total, kMostRequests)};
  if (!is_between(counts.bad, 0, counts.total))
    return Error{ErrorKind::Invalid, fmt::format("{}.bad is {:g}: allowed is 0 to the total, {:g}",
                                                 field, counts.bad, counts.total)};
  return {};
}

Result<void> check_dispersion(double dispersion) {
  if (std::isfinite(dispersion) && dispersion >= 1) return {};
  return Error{ErrorKind::Invalid,
               fmt::format("dispersion is {:g}: allowed is a finite number from 1", dispersion)};
}

}  // namespace weir
