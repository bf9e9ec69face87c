#include "api/placeholders.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "api/text_rules.h"

namespace weir {
namespace {

using What = Placeholder::Kind;

constexpr std::size_t kMaxShown = 80;  // bytes of an unknown placeholder in a message

constexpr std::array<std::pair<std::string_view, What>, 5> kWords{{
    {"run", What::Run},
    {"pipeline", What::Pipeline},
    {"namespace", What::Namespace},
    {"commit", What::Commit},
    {"outcome", What::Outcome},
}};

constexpr std::array<std::pair<std::string_view, What>, 2> kPrefixes{{
    {"params.", What::Param},
    {"matrix.", What::Matrix},
}};

bool is_name(std::string_view text) {
  return text.size() <= text_rules::kLabel.max && text_rules::kLabel.matches(text);
}

std::optional<Placeholder> parse_result(std::string_view body) {
  static constexpr std::string_view kBetween = ".results.";
  const auto between = body.find(kBetween);
  if (between == std::string_view::npos) return std::nullopt;
  const auto stage = body.substr(0, between);
  const auto name = body.substr(between + kBetween.size());
  if (!is_name(stage) || !is_name(name)) return std::nullopt;
  return Placeholder{What::Result, std::string(stage), std::string(name)};
}

// What stands between "$(" and ")".
std::optional<Placeholder> parse_body(std::string_view body) {
  for (const auto& [word, kind] : kWords)
    if (body == word) return Placeholder{kind, "", ""};
  for (const auto& [prefix, kind] : kPrefixes) {
    if (!body.starts_with(prefix)) continue;
    const auto name = body.substr(prefix.size());
    if (is_name(name)) return Placeholder{kind, "", std::string(name)};
  }
  static constexpr std::string_view kStages = "stages.";
  return body.starts_with(kStages) ? parse_result(body.substr(kStages.size())) : std::nullopt;
}

Error unknown(std::string_view found) {
  return {ErrorKind::Invalid,
          fmt::format("found \"{}\", must be one of $(run), $(pipeline), $(namespace), "
                      "$(commit), $(outcome), $(params.NAME), $(matrix.AXIS), "
                      "$(stages.STAGE.results.NAME); $$( for $( itself",
                      clip(found, kMaxShown))};
}

}  // namespace

std::string to_string(const Placeholder& placeholder) {
  for (const auto& [word, kind] : kWords)
    if (placeholder.kind == kind) return fmt::format("$({})", word);
  if (placeholder.kind == What::Param) return fmt::format("$(params.{})", placeholder.name);
  if (placeholder.kind == What::Matrix) return fmt::format("$(matrix.{})", placeholder.name);
  return fmt::format("$(stages.{}.results.{})", placeholder.stage, placeholder.name);
}

Result<std::string> fill_in(std::string_view text, const ValueOf& value_of) {
  std::string filled;
  while (!text.empty()) {
    const auto at = text.find("$(");
    filled += text.substr(0, at);
    if (at == std::string_view::npos) break;
    if (at > 0 && text[at - 1] == '$') {
      filled.back() = '$';
      filled += '(';
      text.remove_prefix(at + 2);
      continue;
    }
    text.remove_prefix(at);
    const auto end = text.find(')');
    const auto whole = text.substr(0, end == std::string_view::npos ? end : end + 1);
    if (end == std::string_view::npos) return unknown(whole);
    const auto placeholder = parse_body(whole.substr(2, end - 2));
    if (!placeholder) return unknown(whole);
    auto value = value_of(*placeholder);
    if (!value)
      return Error{ErrorKind::Invalid, fmt::format("found {}, which has no value here", whole)};
    filled += *value;
    text.remove_prefix(whole.size());
  }
  return filled;
}

Result<std::vector<Placeholder>> placeholders_in(std::string_view text) {
  std::vector<Placeholder> found;
  const auto filled = fill_in(text, [&](const Placeholder& placeholder) {
    found.push_back(placeholder);
    return std::optional<std::string>("");
  });
  if (!filled) return filled.error();
  return found;
}

std::optional<Placeholder> placeholder_in_script(std::string_view script) {
  for (auto at = script.find("$("); at != std::string_view::npos; at = script.find("$(", at + 2)) {
    const auto end = script.find(')', at);
    if (end == std::string_view::npos) return std::nullopt;
    auto placeholder = parse_body(script.substr(at + 2, end - at - 2));
    // These words could be the names of programs.
    const bool word =
        placeholder && (placeholder->kind == What::Run || placeholder->kind == What::Pipeline ||
                        placeholder->kind == What::Namespace || placeholder->kind == What::Commit);
    if (placeholder && !word) return placeholder;
  }
  return std::nullopt;
}

std::string escape_for_kubelet(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    escaped += c;
    if (c == '$') escaped += '$';
  }
  return escaped;
}

}  // namespace weir
