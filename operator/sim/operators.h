#pragma once

#include <memory>
#include <vector>

#include "sim/instance.h"

namespace weir::sim {

// The Deployment of the operator: starts instances, and starts another one when one has died. Also the hand that kills them, freezes
// them and sets their clocks.
class Operators final : public Actor {
 public:
  Operators(const Network& network, World& world, int replicas);
  ~Operators() override;

  std::optional<SimTime> due() const override;
  void act() override;

  // By how much the clocks of all instances so far have differed.
  const SimTime& clock_spread() const { return clock_spread_; }
  // No faults any more: who is dead comes back, who is frozen wakes, clocks keep their error.
  void calm();

 private:
  struct Slot {
    std::unique_ptr<Instance> instance;
    SimTime starts_at{0};
  };

  void start(Slot& slot);
  void bury(Slot& slot);
  void disturb();
  Instance* any();
  SimTime clock_error() const;
  void see_clock(SimTime error);

  const Network& net_;
  World& world_;
  std::vector<Slot> slots_;
  std::optional<SimTime> next_kill_;
  std::optional<SimTime> next_pause_;
  std::optional<SimTime> next_step_;
  std::optional<SimTime> next_compaction_;
  int started_ = 0;
  SimTime earliest_clock_{0};
  SimTime latest_clock_{0};
  SimTime clock_spread_{0};
};

}  // namespace weir::sim
