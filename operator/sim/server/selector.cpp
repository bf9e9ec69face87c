#include "sim/server/selector.h"

#include <fmt/format.h>

#include <algorithm>

namespace weir::sim {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// At the commas outside of parentheses.
std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  int depth = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] == '(') ++depth;
    if (i < text.size() && text[i] == ')') --depth;
    if (i == text.size() || (text[i] == ',' && depth == 0)) {
      parts.push_back(trimmed(text.substr(begin, i - begin)));
      begin = i + 1;
    }
  }
  return parts;
}

bool is_word(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.' || c == '/';
  });
}

Refusal unreadable(std::string_view why) {
  return bad_request(fmt::format("unable to parse requirement: {}", why));
}

struct Comparison {
  std::string_view key;
  std::string_view value;
  bool equal = true;
  bool found = false;
};

// "a=b", "a==b", "a!=b".
Comparison comparison_of(std::string_view text) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos) return {trimmed(text), "", true, false};
  const bool unequal = equals > 0 && text[equals - 1] == '!';
  auto value = text.substr(equals + 1);
  if (value.starts_with('=')) value.remove_prefix(1);
  return {trimmed(text.substr(0, equals - (unequal ? 1 : 0))), trimmed(value), !unequal, true};
}

}  // namespace

Answer<LabelSelector::Term> LabelSelector::parse_term(std::string_view text) {
  const auto done = [](Term term) -> Answer<Term> {
    if (term.key.empty() || !is_word(term.key))
      return unreadable(fmt::format("<nil>: Invalid value: \"{}\": not a label key", term.key));
    for (const auto& value : term.values) {
      if (!is_word(value) || value.size() > 63)
        return unreadable(
            fmt::format("values[0][{}]: Invalid value: \"{}\": a valid label must "
                        "be an empty string or consist of alphanumeric characters",
                        term.key, value));
    }
    return term;
  };
  if (text.starts_with('!')) return done({std::string(trimmed(text.substr(1))), Op::Absent});
  const auto space = text.find(' ');
  const auto compared = comparison_of(text);
  if (compared.found)
    return done({std::string(compared.key),
                 compared.equal ? Op::In : Op::NotIn,
                 {std::string(compared.value)}});
  if (space == std::string_view::npos) return done({std::string(text), Op::Exists});
  const auto rest = trimmed(text.substr(space));
  const auto word = rest.substr(0, std::min(rest.find_first_of(" ("), rest.size()));
  if (word != "in" && word != "notin")
    return unreadable(fmt::format("found '{}', expected: in, notin, =, ==, !=, gt, lt", word));
  const auto set = trimmed(rest.substr(word.size()));
  if (!set.starts_with('(')) return unreadable(fmt::format("found '{}' expected: '('", set));
  if (!set.ends_with(')')) return unreadable("found '', expected: ',' or ')'");
  Term term{std::string(text.substr(0, space)), word == "in" ? Op::In : Op::NotIn};
  for (const auto value : split(set.substr(1, set.size() - 2))) term.values.emplace_back(value);
  return done(std::move(term));
}

Answer<LabelSelector> LabelSelector::parse(std::string_view text) {
  LabelSelector selector;
  if (trimmed(text).empty()) return selector;
  for (const auto part : split(text)) {
    ASSIGN_OR_RETURN(auto term, parse_term(part));
    selector.terms_.push_back(std::move(term));
  }
  return selector;
}

bool LabelSelector::holds(const Term& term, const Json& labels) const {
  const Json& label = json_at(labels, {term.key});
  if (term.op == Op::Exists) return label.is_string();
  if (term.op == Op::Absent) return !label.is_string();
  const bool in =
      label.is_string() && std::find(term.values.begin(), term.values.end(),
                                     label.get_ref<const std::string&>()) != term.values.end();
  return in == (term.op == Op::In);
}

bool LabelSelector::matches(const Json& object) const {
  if (terms_.empty()) return true;
  const Json& labels = json_at(object, {"metadata", "labels"});
  return std::all_of(terms_.begin(), terms_.end(),
                     [&](const Term& term) { return holds(term, labels); });
}

Answer<FieldSelector> FieldSelector::parse(std::string_view text, const Resource& resource) {
  FieldSelector selector;
  if (trimmed(text).empty()) return selector;
  for (const auto part : split(text)) {
    const auto compared = comparison_of(part);
    if (!compared.found)
      return bad_request(fmt::format("invalid selector: '{}'; can't understand '{}'", text, part));
    const auto& fields = resource.fields;
    const bool known = compared.key == "metadata.name" ||
                       (compared.key == "metadata.namespace" && resource.namespaced) ||
                       std::find(fields.begin(), fields.end(), compared.key) != fields.end();
    if (!known) return bad_request(fmt::format("field label not supported: {}", compared.key));
    selector.terms_.push_back(
        {parse_field_path(compared.key), std::string(compared.value), compared.equal});
  }
  return selector;
}

bool FieldSelector::matches(const Json& object) const {
  return std::all_of(terms_.begin(), terms_.end(), [&](const Term& term) {
    const Json& value = value_at(object, term.path);
    const std::string text = value.is_string() ? value.get<std::string>()
                             : value.is_null() ? ""
                                               : dump_json(value);
    return (text == term.value) == term.equal;
  });
}

}  // namespace weir::sim
