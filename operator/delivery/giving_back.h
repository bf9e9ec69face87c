// The way of an adopted Deployment out of its Release, which is being deleted (designs/013-adoption.md). Pure.
#pragma once

#include "delivery/release_snapshot.h"
#include "runtime/plan.h"

namespace weir {

// Whether something was, or may have been, adopted.
bool must_give_back(const ReleaseSnapshot& snapshot);

// `refused`: what the server refused in the pass before.
Plan give_back(const ReleaseSnapshot& snapshot, WallTime now, const Error* refused);

}  // namespace weir
