#pragma once

#include "cli/command.h"
#include "sim/live_world.h"

namespace weir {

// Tells a good and a bad release in a simulated world that somebody else lets run: each change as it comes, then what it cost. False: it
// did not go as it should within the time allowed.
bool tell_demo(const Streams& streams, sim::LiveWorld& world);

}  // namespace weir
