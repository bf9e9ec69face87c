#pragma once

#include <charconv>
#include <cstdint>
#include <string_view>

namespace weir {

// 0 when it is not a number (an empty one, or a server that breaks the rule): older than everything.
inline std::uint64_t parse_resource_version(std::string_view text) {
  std::uint64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  return result.ec == std::errc() && result.ptr == text.data() + text.size() ? value : 0;
}

}  // namespace weir
