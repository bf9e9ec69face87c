#include "sim/server/table.h"

#include <fmt/format.h>

#include "base/time_format.h"

namespace weir::sim {
namespace {

const Json kNothing;

// `[0]`, or `[?(@.type=="Ready")]`.
const Json& picked(const Json& list, std::string_view choice) {
  if (!list.is_array()) return kNothing;
  constexpr std::string_view kWhere = "?(@.";
  if (!choice.starts_with(kWhere)) {
    const auto index = static_cast<std::size_t>(std::atoi(std::string(choice).c_str()));
    return index < list.size() ? list[index] : kNothing;
  }
  choice.remove_prefix(kWhere.size());
  const auto equals = choice.find("==");
  const auto begin = choice.find('"');
  const auto end = choice.rfind('"');
  if (equals == std::string_view::npos || begin >= end) return kNothing;
  const auto key = choice.substr(0, equals);
  const auto value = choice.substr(begin + 1, end - begin - 1);
  for (const auto& item : list) {
    if (json_text(item, {key}) == value) return item;
  }
  return kNothing;
}

Json cell_of(const PrinterColumn& column, const Json& object, WallTime now) {
  const Json& value = json_path(object, column.json_path);
  if (value.is_null()) return column.zero ? Json(0) : Json();
  if (column.type == "date") {
    const auto time = value.is_string() ? parse_time(value.get<std::string>())
                                        : Result<WallTime>(Error{ErrorKind::Parse, ""});
    return time ? human_duration(std::chrono::duration_cast<seconds>(now - *time))
                : std::string("<unknown>");
  }
  if (column.type == "integer" || value.is_string()) return value;
  return dump_json(value);
}

Json row_of(const Resource& resource, const Json& object, WallTime now) {
  Json cells = Json::array({json_text(object, {"metadata", "name"})});
  for (const auto& column : resource.columns) cells.push_back(cell_of(column, object, now));
  return Json{{"cells", std::move(cells)},
              {"object",
               {{"kind", "PartialObjectMetadata"},
                {"apiVersion", "meta.k8s.io/v1"},
                {"metadata", json_at(object, {"metadata"})}}}};
}

Json definitions_of(const Resource& resource) {
  Json definitions = Json::array({{{"name", "Name"},
                                   {"type", "string"},
                                   {"format", "name"},
                                   {"description", "Name of the object"},
                                   {"priority", 0}}});
  for (const auto& column : resource.columns)
    definitions.push_back({{"name", column.name},
                           {"type", column.type},
                           {"format", ""},
                           {"description", column.description},
                           {"priority", column.priority}});
  return definitions;
}

}  // namespace

const Json& json_path(const Json& object, std::string_view path) {
  const Json* at = &object;
  while (!path.empty()) {
    if (path.front() == '[') {
      const auto end = path.find(']');
      if (end == std::string_view::npos) return kNothing;
      at = &picked(*at, path.substr(1, end - 1));
      path.remove_prefix(end + 1);
      continue;
    }
    if (path.front() == '.') path.remove_prefix(1);
    const auto end = std::min(path.find_first_of(".["), path.size());
    at = &json_at(*at, {path.substr(0, end)});
    path.remove_prefix(end);
  }
  return *at;
}

// https://github.com/kubernetes/apimachinery/blob/master/pkg/util/duration/duration.go
std::string human_duration(seconds span) {
  const auto total = std::max<std::int64_t>(span.count(), 0);
  const auto minutes = total / 60;
  const auto hours = minutes / 60;
  const auto days = hours / 24;
  const auto both = [](std::int64_t a, char unit, std::int64_t b, char small) {
    return b == 0 ? fmt::format("{}{}", a, unit) : fmt::format("{}{}{}{}", a, unit, b, small);
  };
  if (total < 120) return fmt::format("{}s", total);
  if (minutes < 10) return both(minutes, 'm', total % 60, 's');
  if (minutes < 180) return fmt::format("{}m", minutes);
  if (hours < 8) return both(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return fmt::format("{}h", hours);
  if (days < 8) return both(days, 'd', hours % 24, 'h');
  if (days < 730) return fmt::format("{}d", days);
  return both(days / 365, 'y', days % 365, 'd');
}

Json table_of(const Resource& resource, const std::vector<const Json*>& objects, bool columns,
              WallTime now) {
  Json table{{"kind", "Table"},
             {"apiVersion", "meta.k8s.io/v1"},
             {"metadata", Json::object()},
             {"columnDefinitions", columns ? definitions_of(resource) : Json()},
             {"rows", Json::array()}};
  for (const auto* object : objects) table["rows"].push_back(row_of(resource, *object, now));
  return table;
}

}  // namespace weir::sim
