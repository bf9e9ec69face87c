#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/clock.h"

namespace weir {

// A rate limit as a passive object: it says how long to wait, it never waits. Not thread-safe.
class TokenBucket {
 public:
  // Starts full. Both must be positive.
  TokenBucket(double per_second, double burst)
      : per_second_(per_second), burst_(burst), tokens_(burst) {}

  // Takes one token, on credit if need be, and says how long to wait before it may be used. Takes none, and returns nothing,
  // when the wait would exceed `max_wait`. `now` must not run backwards.
  std::optional<milliseconds> take(SteadyTime now, milliseconds max_wait) {
    using Span = std::chrono::duration<double>;
    if (last_) tokens_ = std::min(burst_, tokens_ + Span(now - *last_).count() * per_second_);
    last_ = now;
    const Span missing(std::max(0.0, 1.0 - tokens_) / per_second_);
    const auto wait = std::chrono::ceil<milliseconds>(missing);
    if (wait > max_wait) return std::nullopt;
    tokens_ -= 1.0;
    return wait;
  }

 private:
  double per_second_;
  double burst_;
  double tokens_;  // negative: promised to callers that wait
  std::optional<SteadyTime> last_{};
};

}  // namespace weir
