#pragma once

#include <algorithm>
#include <chrono>

#include "base/clock.h"

namespace weir {

// A point on the steady clock by which a call must have returned. A value; cheap to copy.
class Deadline {
 public:
  explicit Deadline(SteadyTime at) : at_(at) {}
  static Deadline after(const Clock& clock, milliseconds span) {
    return Deadline(clock.monotonic() + span);
  }

  SteadyTime at() const { return at_; }
  // Never negative.
  milliseconds left(const Clock& clock) const {
    const auto left = std::chrono::duration_cast<milliseconds>(at_ - clock.monotonic());
    return std::max(left, milliseconds(0));
  }

 private:
  SteadyTime at_;
};

}  // namespace weir
