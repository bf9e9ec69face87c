// Rare branches that the simulator must reach (FoundationDB's "test coverage" macros): a sweep that misses one has not tested it.
// A new point is a line here and a call there.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <string>
#include <string_view>

namespace weir {

enum class SimPoint {
  Adopted,
  CanaryGivesBack,
  CreateFoundForeign,
  CreateFoundOurs,
  GivenBack,
  HandsOff,
  HoldEndedEarly,
  HoldRestarted,
  JudgeHolds,
  MemoRebuilt,
  Paused,
  PodsHold,
  RefusedOnce,
  Relisted,
  RequestDone,
  RequestKnown,
  RequestRefused,
  ReturnedByRequest,
  Reverted,
  RolledBackAtStep,
  RolledBackForPods,
  RolledBackInWatch,
  RouteCorrected,
  RouteNotAccepted,
  StableBreaksToo,
  StableGone,
  Superseded,
  SupersedingWaits,
  Throttled,
  kCount,
};

inline constexpr std::array<std::string_view, static_cast<std::size_t>(SimPoint::kCount)>
    kSimPointNames{
        "a Deployment is adopted",
        "a canary without ready pods gives its weight back",
        "a create finds somebody else's object",
        "a create finds our own object",
        "an adopted Deployment is given back",
        "the spec cannot be used, nothing moves",
        "a hold ends early",
        "a hold starts again",
        "the judge holds a step whose hold is over",
        "the route is gone, its meaning rebuilt",
        "a person has paused a release",
        "pods hold a step",
        "a write was refused",
        "a watch starts over with a list",
        "a request is carried out",
        "a request was carried out, its answer was lost",
        "a request is refused",
        "an older revision serves by request",
        "the spec goes back to stable during a release",
        "a rollback at a step",
        "a rollback for the pods' own failure",
        "a rollback in the watch",
        "a route is put right",
        "a gateway has not taken a weight up",
        "stable breaks what the canary breaks",
        "the ReplicaSet of stable is gone during a release",
        "a new revision during a release",
        "a new revision waits, nobody but the canary serves",
        "a call was throttled",
    };

namespace detail {
inline std::array<std::atomic<bool>, static_cast<std::size_t>(SimPoint::kCount)> sim_points{};
}

// One relaxed store: cheap enough for production, where nobody reads it.
inline void reached(SimPoint point) {
  detail::sim_points[static_cast<std::size_t>(point)].store(true, std::memory_order_relaxed);
}
inline bool was_reached(SimPoint point) {
  return detail::sim_points[static_cast<std::size_t>(point)].load(std::memory_order_relaxed);
}

// A digit a point, to carry them from one process to another.
inline std::string points_reached() {
  std::string digits;
  for (const auto& point : detail::sim_points) digits += point ? '1' : '0';
  return digits;
}
inline void add_points_reached(std::string_view digits) {
  for (std::size_t i = 0; i < std::min(digits.size(), detail::sim_points.size()); ++i)
    if (digits[i] == '1') reached(static_cast<SimPoint>(i));
}

}  // namespace weir
