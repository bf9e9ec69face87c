// JSON as a tree, for bodies and answers. Errors by value; foreign text can neither throw nor exhaust the stack.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weir {

using Json = nlohmann::json;

inline constexpr int kJsonMaxDepth = 100;  // levels; nlohmann's copy and dump recurse

// Error kind: Parse, with the position in the message.
Result<Json> parse_json(std::string_view text);

// Compact, keys sorted, invalid UTF-8 replaced: equal trees give equal text.
std::string dump_json(const Json& json);

// The member at a path of keys, or null when a step is missing or not an object. Never throws.
const Json& json_at(const Json& json, std::initializer_list<std::string_view> path);

// The text of a string member, or `fallback`.
std::string json_text(const Json& json, std::initializer_list<std::string_view> path,
                      std::string_view fallback = "");

// The value of an integer member, or `fallback`; also when it does not fit.
std::int64_t json_int(const Json& json, std::initializer_list<std::string_view> path,
                      std::int64_t fallback = 0);

// Whether every member of `wanted` stands in `actual` with that value; null means absent, lists agree item by item.
bool json_covers(const Json& actual, const Json& wanted);

}  // namespace weir
