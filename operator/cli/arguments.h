#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weir {

struct Flag {
  std::string_view name;     // without dashes
  char letter = 0;           // 'n' for -n
  std::string_view value{};  // "NAME"; "json|yaml" when only these are allowed; "" for a switch
  std::string_view help{};
};

// What a command was called with.
class Arguments {
 public:
  // As kubectl has it: --name=value, --name value, -n value, -nvalue, switches together (-Aw), and "--" before what must not be
  // read as a flag. The last of a repeated flag wins. Error kind: Invalid, naming the word and perhaps what was meant.
  static Result<Arguments> parse(const std::vector<std::string>& words,
                                 const std::vector<Flag>& flags);

  std::string value(std::string_view name, std::string_view fallback = "") const;
  bool has(std::string_view name) const { return values_.find(name) != values_.end(); }
  const std::vector<std::string>& operands() const { return operands_; }

 private:
  std::map<std::string, std::string, std::less<>> values_;
  std::vector<std::string> operands_;
};

// The words of a flag's value that lists what is allowed; else none.
std::vector<std::string_view> allowed_values(const Flag& flag);

}  // namespace weir
