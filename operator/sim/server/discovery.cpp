#include "sim/server/discovery.h"

#include <fmt/format.h>

#include <set>

#include "sim/server/resource.h"

namespace weir::sim {
namespace {

constexpr std::string_view kOpenApi = "/openapi/v3";

std::string path_of(const Resource& resource) {
  return resource.group.empty() ? "api/" + resource.version
                                : fmt::format("apis/{}/{}", resource.group, resource.version);
}

// "v1" to the paths of all of a kind's groups, each once, in order.
std::set<std::string> group_paths() {
  std::set<std::string> paths;
  for (const auto& resource : resources()) paths.insert(path_of(resource));
  return paths;
}

Json group_of(const std::string& name) {
  Json versions = Json::array();
  std::set<std::string> seen;
  for (const auto& resource : resources()) {
    if (resource.group == name && seen.insert(resource.version).second)
      versions.push_back({{"groupVersion", resource.api_version()}, {"version", resource.version}});
  }
  return Json{{"name", name}, {"versions", versions}, {"preferredVersion", versions.front()}};
}

Json groups() {
  Json list{{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", Json::array()}};
  std::set<std::string> seen;
  for (const auto& resource : resources()) {
    if (!resource.group.empty() && seen.insert(resource.group).second)
      list["groups"].push_back(group_of(resource.group));
  }
  return list;
}

Json subresource_of(const Resource& resource, const std::string& name) {
  Json json{{"name", resource.plural + "/" + name},
            {"singularName", ""},
            {"namespaced", resource.namespaced},
            {"kind", resource.kind},
            {"verbs", {"get", "patch", "update"}}};
  if (name == "scale") {
    json["group"] = "autoscaling";
    json["version"] = "v1";
    json["kind"] = "Scale";
  }
  return json;
}

Json resources_of(const std::string& path) {
  Json list{{"kind", "APIResourceList"}, {"apiVersion", "v1"}, {"resources", Json::array()}};
  for (const auto& resource : resources()) {
    if ("/" + path_of(resource) != path) continue;
    list["groupVersion"] = resource.api_version();
    Json json{
        {"name", resource.plural},
        {"singularName", resource.singular},
        {"namespaced", resource.namespaced},
        {"kind", resource.kind},
        {"verbs",
         {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}}};
    if (!resource.short_names.empty()) json["shortNames"] = resource.short_names;
    if (!resource.categories.empty()) json["categories"] = resource.categories;
    list["resources"].push_back(std::move(json));
    if (resource.has_status) list["resources"].push_back(subresource_of(resource, "status"));
    if (resource.scale) list["resources"].push_back(subresource_of(resource, "scale"));
  }
  return list;
}

Json open_api_index() {
  Json paths = Json::object();
  for (const auto& path : group_paths())
    paths[path] = {{"serverRelativeURL", fmt::format("{}/{}", kOpenApi, path)}};
  return Json{{"paths", paths}};
}

Json open_api_of(const std::string& group) {
  const auto parameter = [](const char* name) {
    return Json{{"name", name}, {"in", "query"}, {"schema", {{"type", "string"}}}};
  };
  Json paths = Json::object();
  for (const auto& resource : resources()) {
    if (path_of(resource) != group) continue;
    const auto path =
        fmt::format("/{}/{}{}/{{name}}", group,
                    resource.namespaced ? "namespaces/{namespace}/" : "", resource.plural);
    paths[path]["patch"] = {
        {"parameters",
         {parameter("dryRun"), parameter("fieldManager"), parameter("fieldValidation")}},
        {"responses", {{"200", {{"description", "OK"}}}}},
        {"x-kubernetes-group-version-kind",
         {{"group", resource.group}, {"version", resource.version}, {"kind", resource.kind}}}};
  }
  return Json{{"openapi", "3.0.0"},
              {"info", {{"title", "Weir, simulated"}, {"version", "v1.36.0"}}},
              {"paths", paths},
              {"components", {{"schemas", Json::object()}}}};
}

}  // namespace

std::optional<Json> discovery(const std::string& path) {
  if (path == "/api")
    return Json{{"kind", "APIVersions"},
                {"versions", {"v1"}},
                {"serverAddressByClientCIDRs", Json::array()}};
  if (path == "/apis") return groups();
  if (path == "/version")
    return Json{{"major", "1"},    {"minor", "36"},      {"gitVersion", "v1.36.0+weir"},
                {"gitCommit", ""}, {"gitTreeState", ""}, {"buildDate", "1970-01-01T00:00:00Z"},
                {"goVersion", ""}, {"compiler", "gcc"},  {"platform", "linux/amd64"}};
  if (path == kOpenApi) return open_api_index();
  for (const auto& group : group_paths()) {
    if (path == "/" + group) return resources_of(path);
    if (path == fmt::format("{}/{}", kOpenApi, group)) return open_api_of(group);
    if (group.starts_with("apis/") && path == "/" + group.substr(0, group.rfind('/'))) {
      Json json = group_of(group.substr(5, group.rfind('/') - 5));
      json["kind"] = "APIGroup";
      json["apiVersion"] = "v1";
      return json;
    }
  }
  return std::nullopt;
}

}  // namespace weir::sim
