#pragma once

#include <string>

#include "sim/checks/check.h"

namespace weir::sim {

// One write in one line, for people.
std::string describe(const Write& write);

}  // namespace weir::sim
