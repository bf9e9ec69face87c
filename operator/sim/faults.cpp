#include "sim/faults.h"

namespace weir::sim {
namespace {

// Each kind of fault is off in half of the runs, so that it cannot always hide behind another.
class Draw {
 public:
  explicit Draw(Random& random) : random_(random) {}

  double chance(double most) { return on() ? random_.uniform() * most : 0.0; }
  SimTime span(SimTime most) { return on() ? times(most, random_.uniform()) : SimTime(0); }
  SimTime gap(SimTime least) { return on() ? times(least, 1 + random_.uniform()) : SimTime(0); }

 private:
  bool on() { return random_.uniform() < 0.5; }
  static SimTime times(SimTime span, double factor) {
    return SimTime(static_cast<std::int64_t>(static_cast<double>(span.count()) * factor));
  }

  Random& random_;
};

}  // namespace

SimTime FaultOptions::staleness() const {
  // A list that fails is tried again after up to 15 s (runtime/reflector.cpp), and may fail again.
  const bool lists_anew = watch_gap > 0 || compaction_gap > SimTime(0);
  const bool lists_fail = error_before > 0 || throttle > 0;
  const SimTime relist = lists_anew ? seconds(lists_fail ? 90 : 20) : seconds(0);
  const SimTime asleep = pause_gap > SimTime(0) ? pause_max : SimTime(0);
  return watch_lag_max + relist + asleep + slow_call_max + milliseconds(500);
}

FaultOptions draw_faults(Random& random) {
  Draw draw(random);
  FaultOptions faults;
  faults.error_before = draw.chance(0.2);
  faults.error_after = draw.chance(0.2);
  faults.conflict = draw.chance(0.2);
  faults.throttle = draw.chance(0.1);
  faults.crash_before = draw.chance(0.1);
  faults.crash_after = draw.chance(0.1);
  faults.slow_call = draw.chance(0.3);
  faults.slow_call_max = faults.slow_call > 0 ? SimTime(seconds(12)) : SimTime(0);
  faults.watch_gap = draw.chance(0.03);
  faults.watch_repeat = draw.chance(0.2);
  faults.watch_lag_max = draw.span(seconds(4));
  faults.compaction_gap = draw.gap(seconds(20));
  faults.pause_gap = draw.gap(seconds(25));
  faults.pause_max = faults.pause_gap > SimTime(0) ? SimTime(seconds(25)) : SimTime(0);
  faults.kill_gap = draw.gap(seconds(20));
  faults.clock_error_max = draw.span(seconds(2));
  faults.clock_step_gap = draw.gap(seconds(20));
  faults.world.eviction_gap = draw.gap(seconds(20));
  faults.world.flap_gap = draw.gap(seconds(20));
  faults.world.gateway_away_gap = draw.gap(seconds(25));
  faults.world.quota_gap = draw.gap(seconds(25));
  faults.world.counter_reset_gap = draw.gap(seconds(20));
  faults.world.source_error = draw.chance(0.5);
  faults.world.source_slow = draw.chance(0.3);
  faults.world.source_empty = draw.chance(0.5);
  faults.world.source_nan = draw.chance(0.5);
  faults.world.source_repeats = draw.chance(0.5);
  return faults;
}

}  // namespace weir::sim
