// How things look on standard output.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/release.h"
#include "base/clock.h"
#include "base/json.h"
#include "cli/command.h"

namespace weir {

inline constexpr Flag kOutput{"output", 'o', "json|yaml|name|wide",
                              "for programs, or with more columns"};

// `text` in the colour that a phase has: good, bad, waiting; as it is without colour.
std::string paint(std::string_view text, Phase phase, bool colour);

// Rows below a head, columns aligned; "" in a cell becomes "-".
std::string table_text(const std::vector<std::vector<std::string>>& rows);

// "45s", "12m", "3h", "2d": as kubectl's AGE.
std::string short_age(WallTime since, WallTime now);

// Objects for programs, as kubectl prints them: one alone, or a List. Form: json, yaml or name.
std::string objects_text(const std::vector<Json>& objects, bool as_list, std::string_view form);

// Indented, with a line end; bytes that are no UTF-8 are replaced.
std::string pretty_json(const Json& json);

}  // namespace weir
