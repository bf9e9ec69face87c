// Time as an injected dependency. Only SystemClock asks the machine; tests and the simulator turn the hands themselves.
#pragma once

#include <chrono>

namespace weir {

using WallTime =
    std::chrono::sys_time<std::chrono::microseconds>;      // what the API server and status speak
using SteadyTime = std::chrono::steady_clock::time_point;  // for deadlines, back-off and measuring
using std::chrono::milliseconds;
using std::chrono::seconds;

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime now() const = 0;
  virtual SteadyTime monotonic() const = 0;
};

class SystemClock final : public Clock {
 public:
  WallTime now() const override {
    return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  }
  SteadyTime monotonic() const override { return std::chrono::steady_clock::now(); }
};

}  // namespace weir
