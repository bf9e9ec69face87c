#pragma once

#include "delivery/release_course.h"

namespace weir {

// A release under way: each weight is held, judged, and followed by the next one once its pods are ready; the last one promotes.
// The snapshot has a stable revision and wants another one that was not rolled back.
Course take_steps(const ReleaseSnapshot& snapshot, WallTime now);

}  // namespace weir
