// What a Pipeline leaves open until a run: "$(params.level)". "$$(" stands for "$(" itself. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weir {

struct Placeholder {
  enum class Kind { Run, Pipeline, Namespace, Commit, Outcome, Param, Matrix, Result };
  Kind kind = Kind::Run;
  std::string stage{};  // of a Result
  std::string name{};   // of a Param, an axis of the Matrix, a Result
  bool operator==(const Placeholder&) const = default;
};

// "$(stages.image.results.digest)"
std::string to_string(const Placeholder& placeholder);

// In the order of the text. Error: Invalid, naming a "$(…)" that nobody knows.
Result<std::vector<Placeholder>> placeholders_in(std::string_view text);

// The first placeholder in a text that a shell reads, where "$(date)" is a command.
std::optional<Placeholder> placeholder_in_script(std::string_view script);

using ValueOf = std::function<std::optional<std::string>(const Placeholder&)>;

// Error: Invalid, naming a placeholder that is unknown or has no value.
Result<std::string> fill_in(std::string_view text, const ValueOf& value_of);

// As an `env` value or argument that the kubelet, which knows "$(NAME)" too, hands on unchanged.
std::string escape_for_kubelet(std::string_view text);

}  // namespace weir
