// How a release ended. Pure.
#pragma once

#include <optional>

#include "api/release.h"

namespace weir {

// The exit code for a release that goes nowhere by itself; nothing while it is on its way, or the operator has not seen its spec.
std::optional<int> outcome_of(const Release& release);

// Only a change of input can help: condition Stalled.
bool is_stuck(const Release& release);

}  // namespace weir
