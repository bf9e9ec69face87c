// The two modes of search: many seeds, and one fault at every place of a named scenario.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/scenarios.h"

namespace weir::sim {

struct Finding {
  std::string replay;  // arguments of `weir sim` that show it again
  RunResult result;
};

struct SearchReport {
  int runs = 0;
  double simulated_hours = 0;
  std::vector<Finding> findings;  // in the order of the search, whatever the threads did
};

// The flags of `weir sim` that replay a fault at a write, in the order of PlannedFault::AtWrite.
inline constexpr std::array<std::string_view, 3> kAtWriteFlags{"crash-before", "crash-after",
                                                               "answer-lost"};

struct SweepRequest {
  std::uint64_t first = 1;
  std::uint64_t last = 100;
  int jobs = 1;  // threads
  Bug bug = Bug::None;
  std::size_t most_findings = 100;  // then it stops
};
SearchReport sweep(const SweepRequest& request);

// A crash before and after each write, each answer to a write lost, each delivery of a watch late:
// one a run. The end must be that of the undisturbed run. `jobs` are processes, copies of this one,
// which must have one thread only.
SearchReport exhaust(const Scenario& scenario, int jobs, Bug bug = Bug::None,
                     std::size_t most_findings = 100);

// One run of a scenario with one planned fault, compared with the undisturbed run.
RunResult run_scenario(const Scenario& scenario, const PlannedFault& planned, bool traced,
                       Bug bug = Bug::None);

}  // namespace weir::sim
