// The modes of search: many seeds, one fault at every place of a named scenario, and many releases with nothing to find.
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
inline constexpr std::array<std::string_view, 4> kAtWriteFlags{"crash-before", "crash-after",
                                                               "answer-lost", "write-late"};

struct SweepRequest {
  std::uint64_t first = 1;
  std::uint64_t last = 100;
  int jobs = 1;  // threads
  Bug bug = Bug::None;
  std::size_t most_findings = 100;  // then it stops
  bool pipelines = false;           // in place of releases
};
SearchReport sweep(const SweepRequest& request);

// Healthy seeds: of each it is only told whether its version was taken back.
struct HealthyReport {
  int runs = 0;
  int released = 0;
  double simulated_hours = 0;
  std::vector<Finding> taken_back;  // which none of them deserved
  std::vector<Finding> findings;    // other rules that were violated
  double allowed = 0;               // the share that may be taken back: maxFalseRollback
  // The share that is, at the least: the exact one-sided limit of Clopper and Pearson, wrong with a chance of 0.1 %.
  double least = 0;

  bool keeps_bound() const { return least <= allowed; }
};
// Always runs all seeds: the limit is one for a number of runs that does not depend on what they find.
HealthyReport sweep_healthy(const SweepRequest& request);

// A crash before and after each write, each answer to a write lost, each write late, each delivery of a watch late:
// one a run. The end must be that of the undisturbed run. `jobs` are processes, copies of this one,
// which must have one thread only.
SearchReport exhaust(const Scenario& scenario, int jobs, Bug bug = Bug::None,
                     std::size_t most_findings = 100);

// One run of a scenario with one planned fault, compared with the undisturbed run.
RunResult run_scenario(const Scenario& scenario, const PlannedFault& planned, bool traced,
                       Bug bug = Bug::None);

}  // namespace weir::sim
