// Releases of versions that are as good as stable, whose requests and errors come by chance: what is taken back among them is a false
// rollback, and a policy bounds how many there are (maxFalseRollback).
#pragma once

#include <cstdint>

#include "sim/simulation.h"

namespace weir::sim {

// A seed draws how much traffic there is and how many errors, the bounds of the policy, and what happens to metrics and operator: late
// scrapes, lost answers, counters that begin anew, restarts, standstills. Pods and the API are well.
RunOptions options_of_healthy_seed(std::uint64_t seed, Bug bug = Bug::None);

// The new version serves everything.
bool is_released(const RunResult& run);

}  // namespace weir::sim
