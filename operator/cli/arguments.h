#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weir {

// What a command understands. Names without dashes; "n" stands for -n.
struct ArgumentSpec {
  std::set<std::string, std::less<>> with_value{};
  std::set<std::string, std::less<>> switches{};
  std::map<std::string, std::string, std::less<>> short_names{};  // "n" → "namespace"
  std::size_t max_positional = 0;
};

class Arguments {
 public:
  // Accepts --name=value, --name value, -n value. Error kind: Invalid, naming the argument.
  static Result<Arguments> parse(const std::vector<std::string>& words, const ArgumentSpec& spec);

  std::string value(std::string_view name, std::string_view fallback = "") const;
  bool has(std::string_view name) const { return values_.find(name) != values_.end(); }
  const std::vector<std::string>& positional() const { return positional_; }

 private:
  std::map<std::string, std::string, std::less<>> values_;
  std::vector<std::string> positional_;
};

}  // namespace weir
