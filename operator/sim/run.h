// One simulated run: a seed is the whole story.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/checks.h"

namespace weir::sim {

struct RunResult {
  std::vector<Violation> violations;
  std::string end;                 // the Release's phase at the end
  std::vector<std::string> trace;  // one line per write
  int writes = 0;                  // of the operator
  int crashes = 0;
  milliseconds simulated{0};
};

// Two phases: changes of the spec and faults for three minutes, then neither; the release must come to its right end.
RunResult run_seed(std::uint64_t seed);

}  // namespace weir::sim
