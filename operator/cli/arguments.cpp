#include "cli/arguments.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/nearest.h"

namespace weir {
namespace {

using Flags = std::vector<Flag>;
using Words = std::vector<std::string>;

Error unusable(std::string_view word, std::string_view why) {
  return Error{ErrorKind::Invalid, fmt::format("{}: {}", word, why)};
}

const Flag* by_name(const Flags& flags, std::string_view name) {
  const auto found =
      std::find_if(flags.begin(), flags.end(), [&](const Flag& f) { return f.name == name; });
  return found == flags.end() ? nullptr : &*found;
}

const Flag* by_letter(const Flags& flags, char letter) {
  const auto found =
      std::find_if(flags.begin(), flags.end(), [&](const Flag& f) { return f.letter == letter; });
  return found == flags.end() ? nullptr : &*found;
}

Error unknown_flag(std::string_view word, std::string_view name, const Flags& flags) {
  std::vector<std::string_view> names;
  for (const auto& flag : flags) names.push_back(flag.name);
  const auto meant = nearest_word(name, names);
  return unusable(word, meant.empty() ? "unknown flag"
                                      : fmt::format("unknown flag, did you mean --{}?", meant));
}

Result<void> check_value(const Flag& flag, const std::string& value) {
  const auto allowed = allowed_values(flag);
  if (allowed.empty() || std::find(allowed.begin(), allowed.end(), value) != allowed.end())
    return {};
  return unusable(fmt::format("--{}", flag.name),
                  fmt::format("found \"{}\", must be one of {}", value, fmt::join(allowed, ", ")));
}

// Where the reading of the words stands.
struct Reader {
  const Words& words;
  const Flags& flags;
  std::size_t at = 0;
  std::map<std::string, std::string, std::less<>> values{};

  Result<void> take(const Flag& flag, std::string value) {
    if (auto checked = check_value(flag, value); !checked) return checked;
    values[std::string(flag.name)] = std::move(value);
    return {};
  }

  Result<void> take_next(const Flag& flag, const std::string& word) {
    if (at + 1 >= words.size()) return unusable(word, fmt::format("needs a value: {}", flag.value));
    return take(flag, words[++at]);
  }

  // --name, --name=value, --name value
  Result<void> read_long(const std::string& word) {
    const auto equals = word.find('=');
    const auto name = word.substr(2, equals == std::string::npos ? equals : equals - 2);
    const Flag* flag = by_name(flags, name);
    if (flag == nullptr) return unknown_flag(word, name, flags);
    const bool has_value = equals != std::string::npos;
    if (flag->value.empty())
      return has_value ? unusable(word, "takes no value") : take(*flag, "true");
    return has_value ? take(*flag, word.substr(equals + 1)) : take_next(*flag, word);
  }

  // -w, -Aw, -n value, -nvalue, -n=value
  Result<void> read_letters(const std::string& word) {
    for (std::size_t i = 1; i < word.size(); ++i) {
      const Flag* flag = by_letter(flags, word[i]);
      if (flag == nullptr) return unknown_flag(word, word.substr(1), flags);
      if (flag->value.empty()) {
        if (i + 1 < word.size() && word[i + 1] == '=') return unusable(word, "takes no value");
        if (auto taken = take(*flag, "true"); !taken) return taken;
        continue;
      }
      if (i + 1 == word.size()) return take_next(*flag, word);
      return take(*flag, word.substr(word[i + 1] == '=' ? i + 2 : i + 1));
    }
    return {};
  }
};

}  // namespace

std::vector<std::string_view> allowed_values(const Flag& flag) {
  std::vector<std::string_view> words;
  if (flag.value.find('|') == std::string_view::npos) return words;
  for (std::string_view rest = flag.value;;) {
    const auto bar = std::min(rest.find('|'), rest.size());
    words.push_back(rest.substr(0, bar));
    if (bar == rest.size()) return words;
    rest.remove_prefix(bar + 1);
  }
}

Result<Arguments> Arguments::parse(const Words& words, const Flags& flags) {
  Arguments result;
  Reader reader{words, flags};
  for (; reader.at < words.size(); ++reader.at) {
    const std::string& word = words[reader.at];
    if (word == "--") {
      result.operands_.insert(result.operands_.end(),
                              words.begin() + static_cast<std::ptrdiff_t>(reader.at) + 1,
                              words.end());
      break;
    }
    if (word.size() < 2 || word[0] != '-') {
      result.operands_.push_back(word);
      continue;
    }
    auto read = word[1] == '-' ? reader.read_long(word) : reader.read_letters(word);
    if (!read) return std::move(read).error();
  }
  result.values_ = std::move(reader.values);
  return result;
}

std::string Arguments::value(std::string_view name, std::string_view fallback) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::string(fallback) : found->second;
}

}  // namespace weir
