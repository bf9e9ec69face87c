#include "cli/output.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/text_rules.h"
#include "kube/yaml_json.h"

namespace weir {
namespace {

constexpr std::string_view kGreen = "\x1b[32m";
constexpr std::string_view kRed = "\x1b[31m";
constexpr std::string_view kYellow = "\x1b[33m";
constexpr std::string_view kPlain = "\x1b[0m";
constexpr std::size_t kGap = 3;  // blanks between columns

std::string_view colour_of(Phase phase) {
  switch (phase) {
    case Phase::Healthy: return kGreen;
    case Phase::RollingBack:
    case Phase::RolledBack:
    case Phase::Degraded: return kRed;
    default: return kYellow;
  }
}

std::string name_of(const Json& object) {
  auto kind = json_text(object, {"kind"});
  std::transform(kind.begin(), kind.end(), kind.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto version = json_text(object, {"apiVersion"});
  const auto group = version.substr(0, std::min(version.find('/'), version.size()));
  return fmt::format("{}.{}/{}\n", kind, group, json_text(object, {"metadata", "name"}));
}

}  // namespace

std::string paint(std::string_view text, Phase phase, bool colour) {
  if (!colour) return std::string(text);
  return fmt::format("{}{}{}", colour_of(phase), text, kPlain);
}

std::string table_text(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max({widths[i], count_characters(row[i]), std::size_t{1}});
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const auto cell = row[i].empty() ? "-" : row[i];
      line += cell;
      if (i + 1 < row.size()) line += std::string(widths[i] + kGap - count_characters(cell), ' ');
    }
    text += line + "\n";
  }
  return text;
}

std::string short_age(WallTime since, WallTime now) {
  const auto s = std::chrono::duration_cast<seconds>(std::max(now - since, WallTime::duration(0)));
  constexpr std::int64_t kMinute = 60;
  constexpr std::int64_t kHour = 60 * kMinute;
  constexpr std::int64_t kDay = 24 * kHour;
  const auto count = s.count();
  // The larger unit only when two of it have passed, so that little is lost.
  if (count < 2 * kMinute) return fmt::format("{}s", count);
  if (count < 2 * kHour) return fmt::format("{}m", count / kMinute);
  if (count < 2 * kDay) return fmt::format("{}h", count / kHour);
  return fmt::format("{}d", count / kDay);
}

std::string objects_text(const std::vector<Json>& objects, bool as_list, std::string_view form) {
  if (form == "name") {
    std::string names;
    for (const auto& object : objects) names += name_of(object);
    return names;
  }
  Json whole = Json::object();
  if (!as_list && objects.size() == 1)
    whole = objects.front();
  else
    whole = Json{{"apiVersion", "v1"}, {"kind", "List"}, {"items", objects}};
  return form == "json" ? pretty_json(whole) : dump_yaml(whole);
}

std::string pretty_json(const Json& json) {
  constexpr int kIndent = 2;
  return json.dump(kIndent, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace weir
