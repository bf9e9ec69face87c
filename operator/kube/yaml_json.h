#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"

namespace weir {

inline constexpr int kYamlMaxNodes = 200'000;  // aliases counted as often as they are used

// The first document of a YAML text as JSON, its plain scalars read by the rules of YAML 1.2. JSON is YAML too.
// Error kind: Parse, with the position.
Result<Json> parse_yaml(const std::string& text);

}  // namespace weir
