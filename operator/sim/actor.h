#pragma once

#include <optional>

#include "sim/clock.h"

namespace weir::sim {

// Somebody who does something in virtual time. Passive: the Stage asks when, and calls.
class Actor {
 public:
  Actor() = default;
  Actor(const Actor&) = delete;
  Actor& operator=(const Actor&) = delete;
  virtual ~Actor() = default;

  // When it wants to act; nothing: not before something else has changed. A time in the past means now.
  virtual std::optional<SimTime> due() const = 0;
  virtual void act() = 0;

  static std::optional<SimTime> earlier(std::optional<SimTime> a, std::optional<SimTime> b) {
    if (!a || !b) return a ? a : b;
    return std::min(*a, *b);
  }
};

}  // namespace weir::sim
