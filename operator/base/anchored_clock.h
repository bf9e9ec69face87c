#pragma once

#include <atomic>
#include <chrono>

#include "base/clock.h"

namespace weir {

// A wall clock that nobody sets: the machine's wall time as it was when anchored, plus what the monotonic clock has counted since.
// Holds, drains and watches are spans between wall times in status; on the machine's own clock a step would end a hold too early
// or make it last for hours.
//
// Protected: spans whose two ends this process has seen. Steps of the machine's clock do not move it; slewing (NTP's usual way) moves
// both clocks alike, so they stay together.
// Not protected: a span that began in another process (a restart, another leader) while a step lies between the two anchors, which
// is off by that step. Comparison with times of others: samples of metric sources carry the source's clock, and after a step
// of a machine whose clock was wrong, it is this clock that stays wrong until the next anchor (see `machine_ahead`): an
// hour behind, and samples from before a weight may count at it, without their warm-up; an hour ahead, and they are NoData, which
// holds. A machine whose monotonic clock stands still (suspended) loses that time here, too.
class AnchoredClock final : public Clock {
 public:
  // `machine` must outlive it.
  explicit AnchoredClock(const Clock& machine) : machine_(machine) { anchor(); }

  // Takes the machine's wall time over. Only before the first decision that rests on this clock.
  void anchor() { zero_ = (machine_.now() - since_boot()).time_since_epoch().count(); }

  WallTime now() const override {
    return WallTime(WallTime::duration(zero_.load())) + since_boot();
  }
  SteadyTime monotonic() const override { return machine_.monotonic(); }

  // How far the machine's wall clock is ahead of this one: the sum of its steps since the anchor.
  WallTime::duration machine_ahead() const { return machine_.now() - now(); }

 private:
  WallTime::duration since_boot() const {
    return std::chrono::floor<WallTime::duration>(machine_.monotonic().time_since_epoch());
  }

  const Clock& machine_;
  std::atomic<WallTime::rep> zero_ =
      0;  // wall time at the zero of the monotonic clock, microseconds
};

// A step of the machine's clock that is worth a warning: no span in a policy is meant more exactly than that.
inline constexpr milliseconds kClockStepWarned{2'000};

}  // namespace weir
