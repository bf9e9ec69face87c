// Virtual time: one true clock that only the Stage moves, and the clocks of machines, which may be wrong.
#pragma once

#include <atomic>

#include "base/clock.h"

namespace weir::sim {

using SimTime = std::chrono::microseconds;  // since the start of the run

class SimClock final : public Clock {
 public:
  explicit SimClock(WallTime start = WallTime(seconds(1'800'000'000))) : start_(start) {}

  WallTime now() const override { return start_ + elapsed(); }
  SteadyTime monotonic() const override { return kBoot + elapsed(); }
  SimTime elapsed() const { return SimTime(elapsed_.load(std::memory_order_relaxed)); }
  void advance(SimTime span) {
    elapsed_.store((elapsed() + span).count(), std::memory_order_relaxed);
  }

  SimTime elapsed_at(WallTime at) const { return at - start_; }
  static SimTime elapsed_at(SteadyTime at) { return std::chrono::ceil<SimTime>(at - kBoot); }

 private:
  static constexpr SteadyTime kBoot{std::chrono::hours(1)};

  const WallTime start_;
  std::atomic<SimTime::rep> elapsed_{0};  // one thread writes
};

// What one machine takes for the time of day: off by `error`, and somebody may set it. Its steady clock is right.
class MachineClock final : public Clock {
 public:
  MachineClock(const SimClock& true_clock, SimTime error)
      : true_clock_(true_clock), error_(error) {}

  WallTime now() const override { return true_clock_.now() + error_; }
  SteadyTime monotonic() const override { return true_clock_.monotonic(); }
  SimTime error() const { return error_; }
  void step(SimTime by) { error_ += by; }

 private:
  const SimClock& true_clock_;
  SimTime error_;
};

}  // namespace weir::sim
