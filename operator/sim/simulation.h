// One simulated run: its options are the whole story.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/bugs.h"
#include "sim/checks/check.h"
#include "sim/faults.h"
#include "sim/inputs.h"
#include "sim/pipeline_people.h"

namespace weir::sim {

struct RunResult {
  std::vector<Violation> violations;
  std::vector<std::string> trace;  // one line per write and input
  // What each release and run of a pipeline came to, in words that do not depend on time,
  std::vector<std::string> end;
  // and the answers to what people asked of it, or what they met.
  std::vector<std::vector<std::string>> answers;
  PlannedFault planned;  // how many writes and deliveries there were
  SimTime simulated{0};
};

struct RunOptions {
  std::uint64_t seed = 1;
  WorldOptions world;
  FaultOptions faults;
  PlannedFault planned;
  PolicyOptions policy;
  std::vector<std::string> releases{"shop"};
  std::vector<Input> inputs;
  PipelineOptions pipelines{};
  bool patient =
      false;  // no input before its release has served: until then any version is a first one
  bool adopts = false;  // releases begin as Deployments with a Service; an input adopts them
  int instances = 1;
  Bug bug = Bug::None;
  int replicas = 4;     // of each release, at first
  bool config = false;  // each release has spec.config
  std::string router = "GatewayAPI";
  SimTime faults_end{seconds(0)};
  SimTime settling{seconds(80)};  // after the last fault and the last input
  bool traced = false;
  // Told of the result while the run's world still stands: who leaves the process here need not take it down first.
  std::function<void(RunResult&)> on_end{};
};

// Takes the process's logs: errors become violations of the run on their thread, all else is dropped.
void capture_logs();

// Stops at the first violation. Never throws.
RunResult simulate(const RunOptions& options);

// A seed draws a world, a mix of faults and what people do; then neither acts any more, and everything must come to its right end:
// that of a run with the same people and no faults.
RunOptions options_of_seed(std::uint64_t seed, Bug bug = Bug::None);
struct SeedRequest {
  std::uint64_t seed = 1;
  bool traced = false;
  bool without_faults = false;  // only the run it is compared with
  Bug bug = Bug::None;
  bool pipelines = false;  // a pipeline and its runs in place of releases
};
RunResult run_seed(const SeedRequest& request);

}  // namespace weir::sim
