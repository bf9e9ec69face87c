#pragma once

#include "base/result.h"
#include "cli/command.h"
#include "sim/live_world.h"

namespace weir {

// Tells a first, a good and a bad version of the shop in the world, each change as it comes, then what they cost. Error: something did
// not go as it should, or not within two simulated minutes.
Result<void> tell_demo(const Streams& streams, sim::LiveWorld& world);

}  // namespace weir
