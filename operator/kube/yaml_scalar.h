// What a YAML scalar means (https://yaml.org/spec/1.2.2/#103-core-schema). Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace weir {

// Unquoted and without a tag. Error kind: Parse, for a number that JSON has no word for.
Result<Json> plain_scalar(const std::string& text);

// With a tag like !!str. Error kind: Parse.
Result<Json> tagged_scalar(std::string_view tag, const std::string& text);

// YAML 1.1, as kubectl reads it, means something else by this plain scalar: yes, off, 017, 1_000.
bool is_doubtful_scalar(std::string_view text);

// Whether a text may stand without quotes, for every reader.
bool may_stand_plain(std::string_view text);

}  // namespace weir
