#include "delivery/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

#include "base/hash.h"
#include "base/json.h"
#include "kube/kinds.h"

namespace weir {
namespace {

constexpr std::size_t kHashLength = 32;  // symbols

// The member `name` of an object that may not be there, or have another type.
Json* member(Json& json, const char* name) {
  if (!json.is_object()) return nullptr;
  const auto found = json.find(name);
  return found == json.end() ? nullptr : &*found;
}

using See = std::function<void(bool secret, Json& name)>;

void see_name(Json& holder, const char* source, const char* field, bool secret, const See& see) {
  Json* object = member(holder, source);
  Json* name = object ? member(*object, field) : nullptr;
  if (name && name->is_string()) see(secret, *name);
}

template <typename Do>
void each(Json& holder, const char* list, const Do& act) {
  Json* items = member(holder, list);
  if (!items || !items->is_array()) return;
  for (auto& item : *items) act(item);
}

void see_volume(Json& volume, const See& see) {
  see_name(volume, "configMap", "name", false, see);
  see_name(volume, "secret", "secretName", true, see);
  Json* projected = member(volume, "projected");
  if (!projected) return;
  each(*projected, "sources", [&](Json& source) {
    see_name(source, "configMap", "name", false, see);
    see_name(source, "secret", "name", true, see);
  });
}

void see_container(Json& container, const See& see) {
  each(container, "envFrom", [&](Json& source) {
    see_name(source, "configMapRef", "name", false, see);
    see_name(source, "secretRef", "name", true, see);
  });
  each(container, "env", [&](Json& variable) {
    Json* from = member(variable, "valueFrom");
    if (!from) return;
    see_name(*from, "configMapKeyRef", "name", false, see);
    see_name(*from, "secretKeyRef", "name", true, see);
  });
}

// Not imagePullSecrets: they are the kubelet's, and a new password is wanted at once.
void see_all(Json& pod_template, const See& see) {
  Json* pod = member(pod_template, "spec");
  if (!pod) return;
  each(*pod, "volumes", [&](Json& volume) { see_volume(volume, see); });
  for (const char* list : {"containers", "initContainers"})
    each(*pod, list, [&](Json& container) { see_container(container, see); });
}

std::size_t bytes_of(const Json& values) {
  std::size_t bytes = 0;
  if (!values.is_object()) return bytes;
  for (const auto& [key, value] : values.items())
    bytes += key.size() + (value.is_string() ? value.get_ref<const std::string&>().size() : 0);
  return bytes;
}

}  // namespace

const Kind& kind_of(const ConfigRef& ref) {
  return ref.secret ? kinds::kSecret : kinds::kConfigMap;
}

std::vector<ConfigRef> refs_of(const ReleaseConfig& config) {
  std::vector<ConfigRef> refs;
  for (const auto& name : config.config_maps) refs.push_back({false, name});
  for (const auto& name : config.secrets) refs.push_back({true, name});
  return refs;
}

std::string field_of(const ReleaseConfig& config, const ConfigRef& ref) {
  const auto& list = ref.secret ? config.secrets : config.config_maps;
  const auto at = std::find(list.begin(), list.end(), ref.name) - list.begin();
  return fmt::format("spec.config.{}[{}].name", ref.secret ? "secretRefs" : "configMapRefs", at);
}

ConfigContent content_of(const ConfigRef& ref, const Json& object) {
  ConfigContent content;
  content.parts = Json::object();
  for (const char* name : {"type", "data", "binaryData"}) {
    const Json& part = json_at(object, {name});
    if (part.is_null()) continue;
    content.parts[name] = part;
    content.bytes += bytes_of(part);
  }
  content.hash = short_hash(std::string(kind_of(ref).name) + dump_json(content.parts), kHashLength);
  return content;
}

Json with_names(Json pod_template, const ConfigNames& names) {
  see_all(pod_template, [&](bool secret, Json& name) {
    const auto found = names.find({secret, name.get<std::string>()});
    if (found != names.end()) name = found->second;
  });
  return pod_template;
}

Result<void> check_config_is_used(const ReleaseConfig& config, const Json& pod_template) {
  std::set<ConfigRef> used;
  Json copy = pod_template;
  see_all(copy, [&](bool secret, Json& name) { used.insert({secret, name.get<std::string>()}); });
  for (const auto& ref : refs_of(config)) {
    if (used.count(ref) != 0) continue;
    return Error{ErrorKind::Invalid,
                 fmt::format("{}: found \"{}\", must be a {} that spec.template names in volumes, "
                             "envFrom or env",
                             field_of(config, ref), ref.name, kind_of(ref).name)};
  }
  return {};
}

}  // namespace weir
