#include "api/field_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/time_format.h"

namespace weir {
namespace {

constexpr std::size_t kMaxShown = 80;  // bytes of a wrong value in a message

const Json& empty_object() {
  static const Json empty = Json::object();
  return empty;
}

bool is_at_or_below(std::string_view path, std::string_view above) {
  if (!path.starts_with(above)) return false;
  return path.size() == above.size() || path[above.size()] == '.' || path[above.size()] == '[';
}

std::string count_allowed(Range count) {
  return count.min == 0 ? fmt::format("a list of at most {} items", count.max)
                        : fmt::format("a list of {} to {} items", count.min, count.max);
}

bool is_integer_in(const Json& json, Range range) {
  if (!json.is_number_integer()) return false;
  if (json.is_number_unsigned() && json.get<std::uint64_t>() > INT64_MAX) return false;
  const auto value = json.get<std::int64_t>();
  return value >= range.min && value <= range.max;
}

bool satisfies(const Json& json, const TextRule& rule) {
  if (!json.is_string()) return false;
  const auto& text = json.get_ref<const std::string&>();
  return count_characters(text) <= rule.max && rule.matches(text);
}

}  // namespace

std::optional<Error> Reading::error() const {
  if (faults.empty()) return std::nullopt;
  return Error{ErrorKind::Invalid, fmt::format("{}: {}", faults.front().path, faults.front().what)};
}

FieldReader::FieldReader(const Json& json, std::string path, Reading& reading)
    : json_(&json), path_(std::move(path)), reading_(&reading) {
  if (json.is_object()) {
    if (reading.objects != nullptr) (*reading.objects)[path_].json = &json;
    return;
  }
  json_ = &empty_object();
  refuse_this(json.is_null()
                  ? "missing, must be an object"
                  : fmt::format("found {}, must be an object", clip(dump_json(json), kMaxShown)));
}

bool FieldReader::has(std::string_view name) const { return !find(name).is_null(); }

const Json& FieldReader::raw(std::string_view name) const { return find(name); }

FieldReader FieldReader::object(std::string_view name) const {
  return FieldReader(find(name), path_of(name), *reading_);
}

FieldReader FieldReader::object_or_empty(std::string_view name) const {
  return FieldReader(has(name) ? find(name) : empty_object(), path_of(name), *reading_);
}

std::string FieldReader::text(std::string_view name, const TextRule& rule) const {
  const Json& found = find(name);
  if (satisfies(found, rule)) return found.get<std::string>();
  refuse(name, rule.allowed);
  return "";
}

std::string FieldReader::text_or(std::string_view name, const TextRule& rule,
                                 std::string fallback) const {
  return has(name) ? text(name, rule) : std::move(fallback);
}

int FieldReader::integer(std::string_view name, Range range) const {
  const Json& found = find(name);
  if (is_integer_in(found, range)) return found.get<int>();
  refuse(name, fmt::format("a whole number from {} to {}", range.min, range.max));
  return 0;
}

int FieldReader::integer_or(std::string_view name, Range range, int fallback) const {
  return has(name) ? integer(name, range) : fallback;
}

bool FieldReader::flag_or(std::string_view name, bool fallback) const {
  if (!has(name)) return fallback;
  const Json& value = find(name);
  if (!value.is_boolean()) refuse(name, "true or false");
  return value.is_boolean() && value.get<bool>();
}

milliseconds FieldReader::duration(std::string_view name, milliseconds min,
                                   milliseconds max) const {
  if (has(name)) return duration_or(name, min, min, max);
  text(name, text_rules::kDuration);  // refuses
  return min;
}

milliseconds FieldReader::duration_or(std::string_view name, milliseconds fallback) const {
  if (!has(name)) return fallback;
  const auto duration = parse_duration(text(name, text_rules::kDuration));
  return duration ? *duration : fallback;
}

milliseconds FieldReader::duration_or(std::string_view name, milliseconds fallback,
                                      milliseconds min, milliseconds max) const {
  const auto duration = duration_or(name, fallback);
  if (duration >= min && duration <= max) return duration;
  refuse(name, fmt::format("from {} to {}", format_duration(min), format_duration(max)));
  return fallback;
}

double FieldReader::percent(std::string_view name) const {
  const Json& found = find(name);
  if (found.is_string()) {
    const auto fraction = parse_percent(found.get_ref<const std::string&>());
    if (fraction && *fraction > 0) return *fraction;
  }
  refuse(name, "a percentage above 0% and below 100% with at most 4 decimals, like \"5%\"");
  return 0;
}

double FieldReader::percent_or(std::string_view name, double fallback) const {
  return has(name) ? percent(name) : fallback;
}

int FieldReader::whole_percent_or(std::string_view name, int fallback) const {
  if (!has(name)) return fallback;
  const Json& found = find(name);
  if (found.is_string()) {
    const auto percent = parse_whole_percent(found.get_ref<const std::string&>());
    if (percent) return *percent;
  }
  refuse(name, "a percentage from \"0%\" to \"100%\" without decimals");
  return fallback;
}

double FieldReader::decimal(std::string_view name) const {
  const Json& found = find(name);
  if (found.is_string()) {
    const auto value = parse_decimal(found.get_ref<const std::string&>());
    if (value) return *value;
  }
  refuse(name, "a plain decimal number as a string, like \"1000\" or \"0.25\", without suffix");
  return 0;
}

std::vector<FieldReader> FieldReader::list(std::string_view name, Range count) const {
  const Json& found = find(name);
  std::vector<FieldReader> items;
  if (found.is_null() && count.min == 0) return items;
  const auto size = static_cast<std::int64_t>(found.size());
  if (!found.is_array() || size < count.min || size > count.max) {
    refuse(name, count_allowed(count));
    return items;
  }
  items.reserve(found.size());
  for (const Json& item : found)
    items.emplace_back(item, fmt::format("{}[{}]", path_of(name), items.size()), *reading_);
  return items;
}

std::vector<std::string> FieldReader::texts(std::string_view name, Range count,
                                            const TextRule& rule) const {
  const Json& found = find(name);
  std::vector<std::string> items;
  if (found.is_null() && count.min == 0) return items;
  const auto size = static_cast<std::int64_t>(found.size());
  if (!found.is_array() || size < count.min || size > count.max) {
    refuse(name, count_allowed(count));
    return items;
  }
  for (const Json& item : found) {
    if (satisfies(item, rule)) {
      items.push_back(item.get<std::string>());
    } else {
      fail(fmt::format("{}[{}]", path_of(name), items.size()),
           fmt::format("found {}, must be {}", clip(dump_json(item), kMaxShown), rule.allowed));
      break;
    }
  }
  return items;
}

const FieldReader& FieldReader::allow_more() const {
  if (reading_->objects != nullptr) (*reading_->objects)[path_].has_more = true;
  return *this;
}

void FieldReader::refuse(std::string_view name, std::string_view allowed) const {
  const Json& found = find(name);
  const auto what =
      found.is_null() ? "missing" : fmt::format("found {}", clip(dump_json(found), kMaxShown));
  fail(path_of(name), fmt::format("{}, must be {}", what, allowed));
}

void FieldReader::refuse_this(std::string_view what) const { fail(path_, std::string(what)); }

void FieldReader::refuse_twins(const std::vector<FieldReader>& items, std::string_view name) const {
  std::set<Json> seen;
  for (const auto& item : items)
    if (!seen.insert(item.raw(name)).second) item.refuse(name, "unique in the list");
}

const Json& FieldReader::find(std::string_view name) const {
  if (reading_->objects != nullptr) (*reading_->objects)[path_].asked.emplace(name);
  return json_at(*json_, {name});
}

std::string FieldReader::path_of(std::string_view name) const {
  return path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name);
}

void FieldReader::fail(std::string path, std::string what) const {
  auto& faults = reading_->faults;
  const bool told = std::any_of(faults.begin(), faults.end(), [&](const Fault& known) {
    return is_at_or_below(known.path, path) || is_at_or_below(path, known.path);
  });
  if (!told) faults.push_back({std::move(path), std::move(what)});
}

std::size_t FieldReader::chosen(std::string_view name,
                                const std::vector<std::string_view>& names) const {
  const Json& found = find(name);
  const auto at = found.is_string()
                      ? std::find(names.begin(), names.end(), found.get_ref<const std::string&>())
                      : names.end();
  if (at != names.end()) return static_cast<std::size_t>(at - names.begin());
  refuse(name, names.size() == 1 ? std::string(names.front())
                                 : fmt::format("one of {}", fmt::join(names, ", ")));
  return 0;
}

}  // namespace weir
