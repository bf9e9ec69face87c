// Named stories for the exhaustive search: each is run once as it is, then again with one fault at each place where one can strike.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/simulation.h"

namespace weir::sim {

struct Scenario {
  std::string_view name;
  RunOptions options;
};

const std::vector<Scenario>& all_scenarios();
const Scenario* find_scenario(std::string_view name);

}  // namespace weir::sim
