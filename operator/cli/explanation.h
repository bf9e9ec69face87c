// What a release does, why, and what comes next, in words. Pure: from the objects that everybody may read.
#pragma once

#include <string>

#include "api/canary_policy.h"
#include "api/release.h"
#include "base/clock.h"
#include "base/result.h"

namespace weir {

// `policy`: the one that the spec names, or why it could not be read.
std::string explain_release(const Release& release, const Result<CanaryPolicy>& policy,
                            WallTime now);

}  // namespace weir
