// What all parts of the world share.
#pragma once

#include <cmath>
#include <map>
#include <string>

#include "base/random.h"
#include "sim/clock.h"
#include "sim/server/api_server.h"

namespace weir::sim {

struct WorldOptions {
  SimTime pod_start_min{seconds(1)};
  SimTime pod_start_max{seconds(4)};
  SimTime pod_grace{seconds(2)};             // from deletion to the end of the process
  SimTime controller_lag{milliseconds(20)};  // of Kubernetes' own controllers
  SimTime gateway_lag{milliseconds(200)};    // from a route's change to its taking effect
  double requests_per_second = 200;          // to each route
  double bad_rate = 0.3;                     // of the answers of a bad revision
  double worse_rate = 0.04;                  // of one that is worse than others and keeps the bound
  double good_rate = 0.002;                  // of any other
  bool by_chance = false;                    // how many requests and bad answers; else the average
  SimTime scrape_interval{seconds(1)};
};

// What goes wrong around the operator. Probabilities are of one event; gaps are means, zero = never.
struct WorldFaults {
  SimTime eviction_gap{0};       // between two pods that are evicted
  SimTime flap_gap{0};           // between two pods that are not ready for some seconds
  SimTime gateway_away_gap{0};   // between two times in which the gateway takes up no route
  SimTime quota_gap{0};          // between two times in which no pod may be created
  SimTime counter_reset_gap{0};  // between two restarts of the gateway's process that counts
  double source_error = 0;       // a question is answered with HTTP 503
  double source_slow = 0;        // no answer before the time-out
  double source_empty = 0;       // no series
  double source_nan = 0;         // all values are NaN
  double source_repeats = 0;     // the scrape before is told again
  SimTime job_pod_lost_gap{0};   // between two pods of Jobs that a node or a drain takes away
  SimTime registry_away_gap{0};  // between two times in which no image of theirs can be pulled
};

struct Scene {
  ApiServer& server;
  const SimClock& clock;
  Random& random;
  const WorldOptions& options;
  const WorldFaults& faults;  // may change during the run: people and faults stop before its end

  SimTime now() const { return clock.elapsed(); }
  bool draws(double probability) const { return probability > 0 && random.uniform() < probability; }
  // Of independent events that come `mean` at a time on average: how many come.
  int poisson(double mean) const {
    int events = -1;
    for (double passed = 0; passed <= mean; ++events) passed -= std::log1p(-random.uniform());
    return events;
  }
  SimTime between(SimTime least, SimTime most) const {
    const auto span = static_cast<double>((most - least).count());
    return least + SimTime(static_cast<std::int64_t>(span * random.uniform()));
  }
  // The next time of something that happens every `gap` on average; nothing when it never does.
  std::optional<SimTime> next_after(SimTime gap) const {
    if (gap <= SimTime(0)) return std::nullopt;
    return now() + between(gap / 2, gap * 3 / 2);
  }
};

}  // namespace weir::sim
