// Readings of what others wrote that never fail: what cannot be read is as if absent. Pure.
#pragma once

#include <initializer_list>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"

namespace weir {

// Clamped to what an int holds.
int small_int(const Json& json, std::initializer_list<std::string_view> path, int fallback = 0);

// RFC 3339.
std::optional<WallTime> time_at(const Json& json, std::initializer_list<std::string_view> path);

}  // namespace weir
