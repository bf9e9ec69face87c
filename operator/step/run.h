#pragma once

#include "step/options.h"

namespace weir::step {

// Runs the step to its end and leaves its message; the exit code: the step's own, 128 + the signal that ended it, or 124 for one that
// took too long. Signals go on to all of the step's processes.
int run(const RunOptions& options);

}  // namespace weir::step
