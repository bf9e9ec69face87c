#include "sim/healthy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace weir::sim {
namespace {

constexpr double kRarest = 0.0005;  // of errors
constexpr double kMostOften = 0.05;
constexpr double kFarBelow = 3;  // times the rate, the bound

// Of what may happen, that which concerns the judge.
FaultOptions draw_metrics_faults(Random& random) {
  const auto all = draw_faults(random);
  FaultOptions faults;
  faults.crash_before = all.crash_before;
  faults.crash_after = all.crash_after;
  faults.kill_gap = all.kill_gap;
  faults.pause_gap = all.pause_gap;
  faults.pause_max = all.pause_max;
  faults.world.counter_reset_gap = all.world.counter_reset_gap;
  faults.world.source_error = all.world.source_error;
  faults.world.source_slow = all.world.source_slow;
  faults.world.source_empty = all.world.source_empty;
  faults.world.source_nan = all.world.source_nan;
  faults.world.source_repeats = all.world.source_repeats;
  return faults;
}

// Of canary against stable, where a healthy version stands on the edge, more often than of a bound, which it is far below.
PolicyOptions draw_policy(Random& random, double rate) {
  const double kind = random.uniform();
  PolicyOptions policy;
  policy.hold_seconds = 12;
  policy.strictly = true;
  policy.compares = kind < 0.85;
  policy.at_most = kind < 0.45 ? "" : fmt::format("{:.4f}%", 100 * kFarBelow * rate);
  return policy;
}

}  // namespace

RunOptions options_of_healthy_seed(std::uint64_t seed, Bug bug) {
  SeededRandom random(seed ^ 0x4ea174ULL);
  RunOptions options;
  options.seed = seed;
  options.bug = bug;
  options.faults = draw_metrics_faults(random);
  options.world.by_chance = true;
  options.world.good_rate = kRarest * std::pow(kMostOften / kRarest, random.uniform());
  options.world.requests_per_second = 20 + 480 * random.uniform();
  options.world.scrape_interval = milliseconds(1000 + std::llround(2000 * random.uniform()));
  options.policy = draw_policy(random, options.world.good_rate);
  options.patient = true;
  options.replicas = 2;
  Input release;
  release.at = seconds(6);
  release.text = "good-1";
  options.inputs = {release};
  options.faults_end = seconds(75);
  options.settling = seconds(25);
  return options;
}

bool is_released(const RunResult& run) {
  return !run.end.empty() && std::all_of(run.end.begin(), run.end.end(), [](const auto& end) {
    return end.find(": Healthy: wanted 100 %") != std::string::npos;
  });
}

}  // namespace weir::sim
