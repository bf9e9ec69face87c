// The way of a live Deployment into a Release (designs/013-adoption.md). Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "delivery/release_snapshot.h"
#include "runtime/plan.h"

namespace weir {

// The next move.
struct Adoption {
  bool done = false;  // everything but the Service is taken, the course may begin
  std::vector<Action> actions;
  std::string message;  // what it waits for; "" = it only looks, nothing is worth a word
  std::string blocked;  // reason: only a change of input can help; "" = it goes on by itself
  std::optional<WallTime> look_again;
};

// For a Release with workloadRef that has no stable revision, or whose Deployment is not in the caches.
Adoption adopt(const ReleaseSnapshot& snapshot, WallTime now);

// The write that makes the user's Service the callers' Service with what `wanted` says. Nothing: there is none of the user's.
std::optional<Action> take_service(const ReleaseSnapshot& snapshot, const Json& wanted);

}  // namespace weir
