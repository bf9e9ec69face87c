// Chance as an injected dependency: only jitter uses it, never a decision.
#pragma once

#include <cstdint>
#include <random>

#include "base/mutex.h"

namespace weir {

// Thread-safe.
class Random {
 public:
  virtual ~Random() = default;
  virtual double uniform() = 0;  // in [0, 1)
};

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  double uniform() override {
    Lock lock(mutex_);
    return std::uniform_real_distribution<double>(0.0, 1.0)(engine_);
  }

 private:
  Mutex mutex_;
  std::mt19937_64 engine_ GUARDED_BY(mutex_);
};

}  // namespace weir
