#include "base/json.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

namespace weir {
namespace {

// Checked on the text, before any tree exists.
bool deeper_than(std::string_view text, int limit) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > limit) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

}  // namespace

Result<Json> parse_json(std::string_view text) {
  if (deeper_than(text, kJsonMaxDepth)) {
    return Error{ErrorKind::Parse,
                 "JSON nested deeper than " + std::to_string(kJsonMaxDepth) + " levels"};
  }
  try {
    return Json::parse(text);
  } catch (const std::exception& e) {
    return Error{ErrorKind::Parse, e.what()};
  }
}

std::string dump_json(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

const Json& json_at(const Json& json, std::initializer_list<std::string_view> path) {
  static const Json null;
  const Json* at = &json;
  for (const auto key : path) {
    if (!at->is_object()) return null;
    const auto found = at->find(key);
    if (found == at->end()) return null;
    at = &*found;
  }
  return *at;
}

std::string json_text(const Json& json, std::initializer_list<std::string_view> path,
                      std::string_view fallback) {
  const Json& at = json_at(json, path);
  return at.is_string() ? at.get<std::string>() : std::string(fallback);
}

std::int64_t json_int(const Json& json, std::initializer_list<std::string_view> path,
                      std::int64_t fallback) {
  const Json& at = json_at(json, path);
  if (at.is_number_unsigned() && at.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max())
    return fallback;
  return at.is_number_integer() ? at.get<std::int64_t>() : fallback;
}

bool json_covers(const Json& actual, const Json& wanted) {
  if (wanted.is_object()) {
    return actual.is_object() &&
           std::all_of(wanted.items().begin(), wanted.items().end(), [&](const auto& item) {
             const auto found = actual.find(item.key());
             return found == actual.end() ? item.value().is_null()
                                          : json_covers(*found, item.value());
           });
  }
  if (wanted.is_array()) {
    return actual.is_array() && actual.size() == wanted.size() &&
           std::equal(wanted.begin(), wanted.end(), actual.begin(),
                      [](const Json& w, const Json& a) { return json_covers(a, w); });
  }
  return actual == wanted;
}

}  // namespace weir
