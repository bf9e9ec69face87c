#include "api/lenient.h"

#include <algorithm>
#include <limits>

#include "base/time_format.h"

namespace weir {

int small_int(const Json& json, std::initializer_list<std::string_view> path, int fallback) {
  const std::int64_t value = json_int(json, path, fallback);
  return static_cast<int>(std::clamp<std::int64_t>(value, std::numeric_limits<int>::min(),
                                                   std::numeric_limits<int>::max()));
}

std::optional<WallTime> time_at(const Json& json, std::initializer_list<std::string_view> path) {
  const auto time = parse_time(json_text(json, path));
  return time ? std::optional(*time) : std::nullopt;
}

}  // namespace weir
