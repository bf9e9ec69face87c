// Readings of what others wrote that never fail: what cannot be read is as if absent. Pure.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"

namespace weir {

// Clamped to what an int holds.
int small_int(const Json& json, std::initializer_list<std::string_view> path, int fallback = 0);

// RFC 3339.
std::optional<WallTime> time_at(const Json& json, std::initializer_list<std::string_view> path);

// What the kubelet says of a container, at most `max` bytes. A registry may sign the URLs it hands out: what stands behind the "?" lets
// their bearer in, and is left out.
std::string kubelet_words(std::string_view text, std::size_t max);

}  // namespace weir
