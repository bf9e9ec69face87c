// Reads typed members of a JSON object, knows where it stands in the tree, and keeps what was wrong.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "api/text_rules.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace weir {

// One thing that is wrong, and where: "spec.steps[0].weight", "found 0, must be …".
struct Fault {
  std::string path;
  std::string what;
};

// What was looked for in one object of the tree.
struct ObjectReading {
  const Json* json = nullptr;
  std::set<std::string, std::less<>> asked{};  // names of members
  bool has_more = false;                       // other members are for somebody else to understand
};

// What the reading of a tree has found so far.
struct Reading {
  // In the order of reading. One of each branch of the tree: what lies above or below a fault often follows from it.
  std::vector<Fault> faults{};
  // By path, when somebody wants to know what was not read.
  std::map<std::string, ObjectReading>* objects = nullptr;

  std::optional<Error> error() const;  // the first fault: Invalid, "path: found x, must be y"
};

struct Range {
  std::int64_t min = 0;
  std::int64_t max = 0;
};

template <typename E>
struct Choice {
  std::string_view name;
  E value;
};

// A cheap value; the JSON and the Reading must outlive it. A member that is null is as if absent. After a fault the reading goes on
// with fallbacks, so callers check Reading::error() once, at the end.
class FieldReader {
 public:
  FieldReader(const Json& json, std::string path, Reading& reading);

  bool has(std::string_view name) const;
  const Json& raw(std::string_view name) const;  // null when absent

  // Absent: refused, or with `_or` the fallback.
  FieldReader object(std::string_view name) const;
  FieldReader object_or_empty(std::string_view name) const;
  std::string text(std::string_view name, const TextRule& rule) const;
  std::string text_or(std::string_view name, const TextRule& rule, std::string fallback) const;
  int integer(std::string_view name, Range range) const;
  int integer_or(std::string_view name, Range range, int fallback) const;
  bool flag_or(std::string_view name, bool fallback) const;
  milliseconds duration(std::string_view name, milliseconds min, milliseconds max) const;
  milliseconds duration_or(std::string_view name, milliseconds fallback) const;
  // Refused outside min..max.
  milliseconds duration_or(std::string_view name, milliseconds fallback, milliseconds min,
                           milliseconds max) const;
  double percent(std::string_view name) const;  // a fraction, more than 0 and less than 1
  double percent_or(std::string_view name, double fallback) const;
  int whole_percent_or(std::string_view name, int fallback) const;
  double decimal(std::string_view name) const;

  // Absent is an empty list; both are refused when count.min > 0.
  std::vector<FieldReader> list(std::string_view name, Range count) const;
  std::vector<std::string> texts(std::string_view name, Range count, const TextRule& rule) const;

  template <typename E, std::size_t N>
  E choice(std::string_view name, const Choice<E> (&choices)[N],
           std::optional<E> fallback = std::nullopt) const {
    if (fallback && !has(name)) return *fallback;
    std::vector<std::string_view> names;
    for (const auto& choice : choices) names.push_back(choice.name);
    return choices[chosen(name, names)].value;
  }

  // Members that nobody asks for are not unknown: they belong to another schema.
  const FieldReader& allow_more() const;

  // "<path>.<name>: found <value>, must be <allowed>".
  void refuse(std::string_view name, std::string_view allowed) const;
  // "<path>: <what>".
  void refuse_this(std::string_view what) const;
  // Whether anything was refused so far, anywhere in the tree.
  bool has_faults() const { return !reading_->faults.empty(); }

  // Refuses the second of two items that have the same text in `name`.
  void refuse_twins(const std::vector<FieldReader>& items, std::string_view name) const;

 private:
  const Json& find(std::string_view name) const;
  std::string path_of(std::string_view name) const;
  void fail(std::string path, std::string what) const;
  std::size_t chosen(std::string_view name, const std::vector<std::string_view>& names) const;

  const Json* json_;
  std::string path_;
  Reading* reading_;
};

}  // namespace weir
