#include "sim/server/schema.h"

#include <fmt/format.h>

namespace weir::sim {
namespace {

Schema::Type type_of(const std::string& name) {
  using Type = Schema::Type;
  static const std::map<std::string, Type> types{
      {"object", Type::Object},   {"array", Type::Array},   {"string", Type::String},
      {"integer", Type::Integer}, {"number", Type::Number}, {"boolean", Type::Boolean}};
  const auto found = types.find(name);
  return found == types.end() ? Type::Any : found->second;
}

std::optional<std::size_t> size_at(const Json& json, std::string_view key) {
  const auto value = json_int(json, {key}, -1);
  return value < 0 ? std::nullopt : std::optional(static_cast<std::size_t>(value));
}

std::optional<std::int64_t> number_at(const Json& json, std::string_view key) {
  return json.contains(key) ? std::optional(json_int(json, {key})) : std::nullopt;
}

std::vector<std::string> texts_at(const Json& json, std::string_view key) {
  std::vector<std::string> texts;
  const Json& list = json_at(json, {key});
  if (list.is_array()) {
    for (const auto& item : list)
      texts.push_back(item.is_string() ? item.get<std::string>() : dump_json(item));
  }
  return texts;
}

bool flag_at(const Json& json, std::string_view key) { return json_at(json, {key}) == true; }

void read_limits(Schema& schema, const Json& json) {
  schema.minimum = number_at(json, "minimum");
  schema.maximum = number_at(json, "maximum");
  schema.min_length = size_at(json, "minLength");
  schema.max_length = size_at(json, "maxLength");
  schema.min_items = size_at(json, "minItems");
  schema.max_items = size_at(json, "maxItems");
  schema.max_properties = size_at(json, "maxProperties");
  schema.pattern = json_text(json, {"pattern"});
  if (!schema.pattern.empty()) schema.regex.emplace(schema.pattern, std::regex::optimize);
  schema.date_time = json_text(json, {"format"}) == "date-time";
}

void read_list(Schema& schema, const Json& json) {
  const auto list = json_text(json, {"x-kubernetes-list-type"});
  schema.list = list == "map"   ? Schema::List::Map
                : list == "set" ? Schema::List::Set
                                : Schema::List::Atomic;
  schema.list_keys = texts_at(json, "x-kubernetes-list-map-keys");
}

}  // namespace

Schema Schema::parse(const Json& json) {
  Schema schema;
  schema.type = type_of(json_text(json, {"type"}));
  schema.int_or_string = flag_at(json, "x-kubernetes-int-or-string");
  schema.nullable = flag_at(json, "nullable");
  schema.preserve_unknown = flag_at(json, "x-kubernetes-preserve-unknown-fields");
  schema.atomic_map = json_text(json, {"x-kubernetes-map-type"}) == "atomic";
  schema.required = texts_at(json, "required");
  schema.enumeration = texts_at(json, "enum");
  read_limits(schema, json);
  read_list(schema, json);
  if (json.contains("default")) schema.default_value = json.at("default");
  const Json& properties = json_at(json, {"properties"});
  if (properties.is_object()) {
    for (const auto& item : properties.items())
      schema.properties.emplace(item.key(), parse(item.value()));
  }
  if (json.contains("items")) schema.items = std::make_shared<Schema>(parse(json.at("items")));
  const Json& additional = json_at(json, {"additionalProperties"});
  if (additional.is_object()) schema.additional = std::make_shared<Schema>(parse(additional));
  return schema;
}

const Schema* Schema::member(std::string_view name) const {
  const auto found = properties.find(name);
  return found == properties.end() ? additional.get() : &found->second;
}

std::string member_path(const std::string& path, std::string_view name) {
  return path.empty() ? std::string(name) : fmt::format("{}.{}", path, name);
}

}  // namespace weir::sim
