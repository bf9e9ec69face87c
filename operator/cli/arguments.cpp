#include "cli/arguments.h"

namespace weir {
namespace {

Error unusable(const std::string& word, std::string_view why) {
  return Error{ErrorKind::Invalid, "argument " + word + ": " + std::string(why)};
}

}  // namespace

Result<Arguments> Arguments::parse(const std::vector<std::string>& words,
                                   const ArgumentSpec& spec) {
  Arguments result;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word.size() < 2 || word[0] != '-') {
      if (result.positional_.size() >= spec.max_positional) return unusable(word, "not expected");
      result.positional_.push_back(word);
      continue;
    }
    const auto equals = word.find('=');
    std::string name = word.substr(word[1] == '-' ? 2 : 1, equals == std::string::npos
                                                               ? std::string::npos
                                                               : equals - (word[1] == '-' ? 2 : 1));
    if (word[1] != '-') {
      const auto known = spec.short_names.find(name);
      if (known == spec.short_names.end()) return unusable(word, "unknown");
      name = known->second;
    }
    if (spec.switches.count(name) != 0) {
      if (equals != std::string::npos) return unusable(word, "takes no value");
      result.values_[name] = "true";
    } else if (spec.with_value.count(name) == 0) {
      return unusable(word, "unknown");
    } else if (equals != std::string::npos) {
      result.values_[name] = word.substr(equals + 1);
    } else if (++i < words.size()) {
      result.values_[name] = words[i];
    } else {
      return unusable(word, "needs a value");
    }
  }
  return result;
}

std::string Arguments::value(std::string_view name, std::string_view fallback) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::string(fallback) : found->second;
}

}  // namespace weir
