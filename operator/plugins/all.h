#pragma once

#include "delivery/ports.h"

namespace weir {

// Every plug-in there is. The objects live as long as the process.
const Plugins& all_plugins();

}  // namespace weir
