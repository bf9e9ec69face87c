// Whether this process is the one that acts: the holder of a Lease, or, without leader election, always.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "kube/cluster_config.h"
#include "kube/object.h"
#include "runtime/metrics.h"
#include "runtime/write_fence.h"

namespace weir {

struct LeaderElection {
  bool enabled = false;
  ObjectKey lease{};       // shared by all that must not act at once
  std::string identity{};  // see LeaseElector; "" = the name of this machine and a random number
};

class Leadership {
 public:
  virtual ~Leadership() = default;

  virtual const WriteFence& fence() const = 0;
  virtual void start() = 0;
  // False: stop was requested. `wait_until_known`: whether we lead or another does.
  virtual bool wait_until_known(const std::stop_token& stop) = 0;
  virtual bool wait_until_leading(const std::stop_token& stop) = 0;
  // When nobody writes any more: stops trying, gives the lease back; at most 8 s.
  virtual void end() = 0;
};

// With a thread and connections of its own. When the lease is lost the process ends at once with exit code 1: what it
// held true may have changed, and a fresh start is the only state that was ever tested. `clock`, `random` and `metrics` must
// outlive it.
Result<std::unique_ptr<Leadership>> make_leadership(const LeaderElection& election,
                                                    const ClusterConfig& cluster,
                                                    const Clock& clock, Random& random,
                                                    Metrics& metrics);

}  // namespace weir
