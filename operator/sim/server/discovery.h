#pragma once

#include <optional>
#include <string>

#include "base/json.h"

namespace weir::sim {

// What clients ask before anything else: /api, /apis, groups, resources, /version, and as much of /openapi/v3 as kubectl needs
// to know that fields are validated here. Nothing for any other path.
std::optional<Json> discovery(const std::string& path);

}  // namespace weir::sim
