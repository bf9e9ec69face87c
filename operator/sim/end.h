// What a release has come to.
#pragma once

#include "sim/simulation.h"

namespace weir::sim {

// One line, without times, counts of pods that are ready just now, or which older revision serves in place of one that was taken back
// (that depends on how far an earlier release had come).
std::string end_of(const ApiServer& server, const ObjectKey& release);

// Adds a violation for each release whose end is not that of the run without faults, or not right.
void compare_ends(RunResult& result, const RunResult& without_faults);

}  // namespace weir::sim
