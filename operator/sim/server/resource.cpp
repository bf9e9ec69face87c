#include "sim/server/resource.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/ensure.h"
#include "kube/yaml_json.h"
#include "sim/server/definitions.h"
#include "sim/server/rules.h"

namespace weir::sim {
namespace {

std::vector<std::string> texts(const Json& list) {
  return list.is_array() ? list.get<std::vector<std::string>>() : std::vector<std::string>();
}

void read_names(Resource& resource, const Json& names) {
  resource.kind = json_text(names, {"kind"});
  resource.list_kind = json_text(names, {"listKind"}, resource.kind + "List");
  resource.plural = json_text(names, {"plural"});
  resource.singular = json_text(names, {"singular"});
  resource.short_names = texts(json_at(names, {"shortNames"}));
  resource.categories = texts(json_at(names, {"categories"}));
}

void read_subresources(Resource& resource, const Json& subresources) {
  resource.has_status = subresources.contains("status");
  const Json& scale = json_at(subresources, {"scale"});
  if (scale.is_null()) return;
  resource.scale = ScalePaths{parse_field_path(json_text(scale, {"specReplicasPath"})),
                              parse_field_path(json_text(scale, {"statusReplicasPath"})),
                              parse_field_path(json_text(scale, {"labelSelectorPath"}))};
}

void read_columns(Resource& resource, const Json& columns) {
  if (!columns.is_array()) return;
  for (const auto& column : columns)
    resource.columns.push_back({json_text(column, {"name"}), json_text(column, {"type"}, "string"),
                                json_text(column, {"description"}), json_text(column, {"jsonPath"}),
                                json_int(column, {"priority"}), json_at(column, {"zero"}) == true});
}

Resource custom_resource(const Json& definition) {
  const Json& spec = definition.at("spec");
  const Json& version = spec.at("versions").at(0);
  Resource resource;
  resource.group = json_text(spec, {"group"});
  resource.version = json_text(version, {"name"});
  resource.namespaced = json_text(spec, {"scope"}) == "Namespaced";
  resource.custom = resource.strict = true;
  resource.unconditional = false;
  read_names(resource, spec.at("names"));
  read_subresources(resource, json_at(version, {"subresources"}));
  read_columns(resource, json_at(version, {"additionalPrinterColumns"}));
  resource.schema = Schema::parse(version.at("schema").at("openAPIV3Schema"));
  return resource;
}

Resource builtin_resource(const Json& definition) {
  Resource resource;
  resource.group = json_text(definition, {"group"});
  resource.version = json_text(definition, {"version"});
  resource.namespaced = json_text(definition, {"scope"}) != "Cluster";
  resource.custom = json_at(definition, {"custom"}) == true;
  resource.has_generation = json_at(definition, {"generation"}) == true;
  resource.label_names = json_text(definition, {"names"}) == "label";
  resource.unconditional = json_at(definition, {"unconditional"}) != false;
  for (const auto& path : texts(json_at(definition, {"immutable"})))
    resource.immutable.push_back(parse_field_path(path));
  resource.fields = texts(json_at(definition, {"fields"}));
  read_names(resource, definition.at("kind"));
  read_subresources(resource, json_at(definition, {"subresources"}));
  read_columns(resource, json_at(definition, {"columns"}));
  if (!resource.custom)
    resource.columns.push_back({"Age", "date", "", ".metadata.creationTimestamp", 0, false});
  Json schema = json_at(definition, {"schema"});
  if (schema.is_null()) schema = Json::object();
  schema["type"] = "object";
  schema["x-kubernetes-preserve-unknown-fields"] = true;
  resource.schema = Schema::parse(schema);
  return resource;
}

Json definition_of(std::string_view text) {
  auto parsed = parse_single_yaml(text);
  ensure(parsed.has_value(), "the embedded definitions can be read");
  return std::move(parsed).value();
}

std::vector<Resource> read_resources() {
  std::vector<Resource> all;
  all.reserve(kCustomDefinitions.size());
  for (const auto text : kCustomDefinitions) all.push_back(custom_resource(definition_of(text)));
  const Json builtin = definition_of(kBuiltinDefinitions);
  for (const auto& definition : builtin.at("kinds")) all.push_back(builtin_resource(definition));
  for (auto& resource : all)
    resource.schema.properties.insert_or_assign("metadata", metadata_schema());
  std::sort(all.begin(), all.end(), [](const Resource& a, const Resource& b) {
    return std::tie(a.group, a.version, a.plural) < std::tie(b.group, b.version, b.plural);
  });
  return all;
}

}  // namespace

std::string Resource::api_version() const {
  return group.empty() ? version : group + "/" + version;
}

const std::vector<Resource>& resources() {
  static const std::vector<Resource> all = read_resources();
  return all;
}

const Resource* find_resource(std::string_view plural) {
  for (const auto& resource : resources()) {
    if (resource.plural == plural) return &resource;
  }
  return nullptr;
}

FieldPath parse_field_path(std::string_view text) {
  FieldPath path;
  while (!text.empty()) {
    const auto end = std::min(text.find('.'), text.size());
    if (end > 0) path.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return path;
}

const Json& value_at(const Json& object, const FieldPath& path) {
  const Json* at = &object;
  for (const auto& key : path) at = &json_at(*at, {key});
  return *at;
}

void set_value_at(Json& object, const FieldPath& path, Json value) {
  Json* at = &object;
  for (const auto& key : path) at = &(*at)[key];
  *at = std::move(value);
}

}  // namespace weir::sim
