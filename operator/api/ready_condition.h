// Whether an object can be used as it is written.
#pragma once

#include <vector>

#include "api/meta.h"
#include "base/result.h"

namespace weir {

// Ready, with the reason Usable, or InvalidSpec with the words of `refusal`; null = there is none. Its transition is that of `before`
// where the status is the same. Pure.
Condition ready_condition(const Error* refusal, std::int64_t generation,
                          const std::vector<Condition>& before, WallTime now);

}  // namespace weir
