#include "api/lenient.h"

#include <algorithm>
#include <limits>

#include "api/text_rules.h"
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

std::string kubelet_words(std::string_view text, std::size_t max) {
  std::string words;
  bool in_query = false;
  for (const char c : text) {
    if (c == '"' || c == ' ' || c == '\n') in_query = false;
    if (!in_query) words += c;
    if (c == '?') in_query = true;
  }
  return clip(words, max);
}

}  // namespace weir
