// Named stories of pipelines for the exhaustive search, and what a seed draws of them.
#pragma once

#include <vector>

#include "sim/scenarios.h"

namespace weir::sim {

std::vector<Scenario> pipeline_scenarios();

// A pipeline, some runs of it, faults and what people do, each drawn.
RunOptions options_of_pipeline_seed(std::uint64_t seed, Bug bug = Bug::None);

}  // namespace weir::sim
