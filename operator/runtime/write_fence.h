// Until when this process may write. The executor asks before each write; who leads decides (lease_elector.h).
#pragma once

#include "base/clock.h"

namespace weir {

// Thread-safe.
class WriteFence {
 public:
  virtual ~WriteFence() = default;
  // By when a write that begins now must have ended, on the monotonic clock. An instant that is not in the future: send nothing.
  virtual SteadyTime open_until() const = 0;
};

// For a process that has no rival: no leader election.
class OpenFence final : public WriteFence {
 public:
  SteadyTime open_until() const override { return SteadyTime::max(); }
};

}  // namespace weir
