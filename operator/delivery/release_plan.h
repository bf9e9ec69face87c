// From a course to the writes that take it, in the order in which they are safe.
#pragma once

#include "delivery/release_course.h"
#include "delivery/release_snapshot.h"
#include "runtime/plan.h"

namespace weir {

// `refused`: what the server refused in the pass before; then status is said first, from what is observed.
Plan plan_release(const ReleaseSnapshot& snapshot, const Course& course, WallTime now,
                  const Error* refused);

// Only what ends a release: all weight to `course.traffic.stable`, and the pods of others go when they may. Nothing is created.
Plan plan_settling(const ReleaseSnapshot& snapshot, const Course& course, WallTime now,
                   const Error* refused);

}  // namespace weir
