#pragma once

#include <stop_token>

#include "base/clock.h"

namespace weir {

// Sleeps until `until` or until stop is requested, whichever comes first.
void wait_until(SteadyTime until, const std::stop_token& stop);

}  // namespace weir
