// Faults of the operator's surroundings, drawn from the seed: each run has its own mix ("swarm"), named here and nowhere else.
#pragma once

#include "base/random.h"
#include "sim/world/scene.h"

namespace weir::sim {

// Probabilities are of one event; gaps are means, zero = never.
struct FaultOptions {
  // Of a call.
  double error_before = 0;  // it fails and has no effect
  double error_after = 0;   // a write has its effect but the answer is lost
  double conflict = 0;      // a write is answered with 409 though nobody wrote
  double throttle = 0;      // it is answered with 429 and Retry-After 1 s
  double crash_before = 0;  // the operator dies just before a write
  double crash_after = 0;   // the operator dies just after a write, before it knows
  double slow_call = 0;     // a write takes long; the world goes on meanwhile
  SimTime slow_call_max{0};
  // Of a watch.
  double watch_gap = 0;       // per event: the connection breaks and the list is read again
  double watch_repeat = 0;    // per event: it is delivered twice
  SimTime watch_lag_max{0};   // all events of one watch come up to so much late
  SimTime compaction_gap{0};  // the history is forgotten: who lags must list again
  // Of the process and its machine.
  SimTime pause_gap{0};  // it stands still for up to pause_max
  SimTime pause_max{0};
  SimTime kill_gap{0};         // it is killed between two passes
  SimTime clock_error_max{0};  // of the time of day, either way; drawn anew at each start
  SimTime clock_step_gap{0};   // somebody sets the clock by up to clock_error_max

  WorldFaults world;

  // How old what a writer saw may be, at most: beyond that the operator must have learned of it.
  SimTime staleness() const;
};

FaultOptions draw_faults(Random& random);

}  // namespace weir::sim
