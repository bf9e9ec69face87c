#include "replay/prometheus_questions.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <span>

#include "delivery/release_questions.h"
#include "delivery/revision.h"

namespace weir {
namespace {

// In the place of a revision's name while a query is read.
constexpr char kMark = '\x01';
constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";  // of short_hash
constexpr std::string_view kInRegex = ".+*?()[]{}|$";
constexpr std::string_view kIdentifier =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:";

struct Matcher {
  std::string label;
  std::string op;
  std::string literal;  // with its quotes
  std::string_view text() const { return std::string_view(literal).substr(1, literal.size() - 2); }
};

// The end of the literal that begins at `at`, behind its closing quote; npos: it is not closed.
std::size_t end_of_literal(std::string_view text, std::size_t at) {
  const char quote = text[at];
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\' && quote != '`')
      ++at;
    else if (text[at] == quote)
      return at + 1;
  }
  return std::string_view::npos;
}

bool is_quote(char c) { return c == '"' || c == '\'' || c == '`'; }

// Metric name and braces around the first mark that stands within braces.
struct Selector {
  std::string_view name;
  std::string_view inside;
};

std::optional<Selector> marked_selector(std::string_view text) {
  std::size_t open = std::string_view::npos;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '#') {
      at = std::min(text.find('\n', at), text.size());
    } else if (is_quote(text[at])) {
      at = end_of_literal(text, at);
    } else {
      if (text[at] == '{') open = at;
      if (text[at] == '}' && open != std::string_view::npos) {
        const auto inside = text.substr(open + 1, at - open - 1);
        const auto before = text.substr(0, open).find_last_not_of(kIdentifier);
        const auto name = before == std::string_view::npos ? 0 : before + 1;
        if (inside.find(kMark) != std::string_view::npos)
          return Selector{text.substr(name, open - name), inside};
        open = std::string_view::npos;
      }
      ++at;
    }
  }
  return std::nullopt;
}

// label="text", label=~'text', …; nothing: it is something else.
std::optional<std::vector<Matcher>> read_matchers(std::string_view text) {
  std::vector<Matcher> matchers;
  std::size_t at = 0;
  const auto take = [&](std::string_view any) {
    at = std::min(text.find_first_not_of(" \t\r\n", at), text.size());
    const auto end = std::min(text.find_first_not_of(any, at), text.size());
    const auto taken = text.substr(at, end - at);
    at = end;
    return std::string(taken);
  };
  while (true) {
    Matcher matcher;
    matcher.label = take(kIdentifier);
    if (matcher.label.empty() && at == text.size()) return matchers;
    matcher.op = take("=!~");
    take("");
    if (matcher.label.empty() || matcher.op.empty() || at == text.size() || !is_quote(text[at]))
      return std::nullopt;
    const auto end = end_of_literal(text, at);
    if (end == std::string_view::npos) return std::nullopt;
    matcher.literal = text.substr(at, end - at);
    at = end;
    matchers.push_back(std::move(matcher));
    const auto commas = take(",").size();
    take("");
    if (commas > 1 || (commas == 0 && at != text.size())) return std::nullopt;
  }
}

std::string pattern() { return fmt::format("[{}]{{{}}}", kAlphabet, kRevisionLength); }

// The text of a matcher as a regular expression in which every mark is any name of a revision.
std::string any_revision(const Matcher& matcher) {
  std::string regex;
  for (const char c : matcher.text()) {
    if (c == kMark)
      regex += pattern();
    else if (matcher.op == "=" && kInRegex.find(c) != std::string_view::npos)
      regex += fmt::format("[{}]", c);
    else
      regex += c;
  }
  const char quote = matcher.literal.front();
  return fmt::format("{}{}{}", quote, regex, quote);
}

std::optional<RevisionSearch> search_of(std::string_view query) {
  const auto found = marked_selector(query);
  const auto matchers = found ? read_matchers(found->inside) : std::nullopt;
  if (!matchers) return std::nullopt;
  RevisionSearch search;
  search.selector = found->name;
  for (const auto& matcher : *matchers) {
    auto op = matcher.op;
    auto literal = matcher.literal;
    if (const auto mark = matcher.text().find(kMark); mark != std::string_view::npos) {
      const auto before = matcher.text().substr(0, mark);
      const bool plain =
          matcher.text().find_first_of(op == "=" ? "\\^" : "\\") == std::string_view::npos &&
          (op == "=" || before.find_first_of(kInRegex) == std::string_view::npos);
      if ((op != "=" && op != "=~") || !plain) return std::nullopt;
      literal = any_revision(matcher);
      op = "=~";
      search.label = matcher.label;
      search.before = before;
    }
    search.selector += fmt::format("{}{}{}{}", search.selector == found->name ? "{" : ",",
                                   matcher.label, op, literal);
  }
  search.selector += "}";
  return search;
}

// `text` has a mark wherever the revision's name is to stand.
std::string of_revisions(const std::string& text, std::span<const std::string> revisions) {
  std::string query;
  for (const auto& revision : revisions) {
    std::string filled;
    for (const char c : text) filled += c == kMark ? revision : std::string(1, c);
    query += fmt::format("{}label_replace(({}\n), \"{}\", \"{}\", \"\", \"\")",
                         query.empty() ? "" : " or ", filled, kAskedRevision, revision);
  }
  return query;
}

Release release_named(const ObjectKey& key) {
  Release release;
  release.meta.key = key;
  return release;
}

}  // namespace

Result<std::vector<RevisionSearch>> revision_searches(const CanaryPolicySpec& policy,
                                                      const ObjectKey& release) {
  std::vector<RevisionSearch> searches;
  std::set<std::string> seen;
  for (const auto& objective : policy.objectives) {
    if (!objective.ratio) continue;
    const auto query = fill_placeholders(objective.ratio->queries.total, release_named(release),
                                         std::string(1, kMark));
    if (!seen.insert(query).second) continue;
    auto search = search_of(query);
    if (!search)
      return Error{ErrorKind::Invalid,
                   fmt::format("objectives.{}: the total query does not tell which revisions there "
                               "were: $(revision) or $(service) must stand in a label's matcher "
                               "(= or =~), behind plain text; or name them with --revisions",
                               objective.name)};
    searches.push_back(*std::move(search));
  }
  return searches;
}

Result<std::vector<std::string>> revisions_in(const Json& answer, const RevisionSearch& search) {
  const Json& data = json_at(answer, {"data"});
  if (json_text(answer, {"status"}) != "success" || !data.is_array())
    return Error{ErrorKind::Parse, "the answer is not one of Prometheus' series API"};
  std::set<std::string> names;
  for (const auto& labels : data) {
    const auto value = json_text(labels, {search.label});
    if (!value.starts_with(search.before)) continue;
    const auto name = value.substr(search.before.size(), kRevisionLength);
    const bool is_one =
        name.size() == kRevisionLength && name.find_first_not_of(kAlphabet) == std::string::npos;
    if (is_one) names.insert(name);
  }
  return std::vector<std::string>(names.begin(), names.end());
}

std::vector<PastQuestion> past_questions(const CanaryPolicySpec& policy, const ObjectKey& release,
                                         const std::vector<std::string>& revisions) {
  std::vector<PastQuestion> questions;
  const auto who = release_named(release);
  for (const auto& objective : policy.objectives) {
    for (const auto& [role, text] : expressions_of(objective, who, std::string(1, kMark), "")) {
      // A value may be one for all revisions.
      if (objective.value && text.find(kMark) == std::string::npos) {
        questions.push_back({objective.name, role, text});
        continue;
      }
      for (std::size_t first = 0; first < revisions.size(); first += kRevisionsAQuery) {
        const auto last = std::min(first + kRevisionsAQuery, revisions.size());
        questions.push_back(
            {objective.name, role, of_revisions(text, {revisions.data() + first, last - first})});
      }
    }
  }
  return questions;
}

std::vector<HistorySpan> parts_of(const HistorySpan& span, milliseconds step) {
  std::vector<HistorySpan> parts;
  for (auto from = span.from; from <= span.to; from += step * kPointsAQuery)
    parts.push_back({from, std::min<WallTime>(span.to, from + step * (kPointsAQuery - 1))});
  return parts;
}

}  // namespace weir
