#include "sim/server/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "api/codec.h"
#include "api/pipeline_run.h"

namespace weir::sim {
namespace {

constexpr std::size_t kMaxLabel = 63;
constexpr std::size_t kMaxName = 253;
constexpr std::size_t kMaxAnnotations = 262'144;  // bytes, keys and values

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_letter_or_digit(char c) { return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z'); }

bool is_dns_label(std::string_view text) {
  return !text.empty() && text.size() <= kMaxLabel && is_lower_or_digit(text.front()) &&
         is_lower_or_digit(text.back()) && std::all_of(text.begin(), text.end(), [](char c) {
           return is_lower_or_digit(c) || c == '-';
         });
}

// Its parts may be longer than a label's.
bool is_subdomain(std::string_view text) {
  if (text.empty() || text.size() > kMaxName) return false;
  char before = '.';
  for (const char c : text) {
    const bool inside = is_lower_or_digit(c);
    if (!inside && c != '-' && c != '.') return false;
    if (!inside && (before == '.' || (c == '.' && before == '-'))) return false;
    before = c;
  }
  return is_lower_or_digit(before);
}

bool is_qualified_part(std::string_view text) {
  return !text.empty() && text.size() <= kMaxLabel && is_letter_or_digit(text.front()) &&
         is_letter_or_digit(text.back()) && std::all_of(text.begin(), text.end(), [](char c) {
           return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.';
         });
}

bool is_qualified_name(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return is_qualified_part(text);
  return is_subdomain(text.substr(0, slash)) && is_qualified_part(text.substr(slash + 1));
}

Cause invalid_value(const std::string& field, const Json& found, std::string_view why) {
  return {field, "FieldValueInvalid", fmt::format("Invalid value: {}: {}", dump_json(found), why)};
}

void check_name(const Resource& resource, const Json& object, std::vector<Cause>& causes) {
  const auto name = json_text(object, {"metadata", "name"});
  if (name.empty()) {
    causes.push_back({"metadata.name", "FieldValueRequired",
                      "Required value: name or generateName is required"});
  } else if (resource.label_names && !is_dns_label(name)) {
    causes.push_back(invalid_value(
        "metadata.name", name,
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
        "must start and end with an alphanumeric character"));
  } else if (!is_subdomain(name)) {
    causes.push_back(invalid_value(
        "metadata.name", name,
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
        "'.', and must start and end with an alphanumeric character"));
  }
}

void check_labels(const Json& labels, std::vector<Cause>& causes) {
  if (!labels.is_object()) return;
  for (const auto& item : labels.items()) {
    if (!is_qualified_name(item.key()))
      causes.push_back(invalid_value("metadata.labels", item.key(),
                                     "name part must consist of alphanumeric characters, '-', '_' "
                                     "or '.', and must start and end with an alphanumeric "
                                     "character"));
    const auto& value = item.value();
    const auto text = value.is_string() ? value.get<std::string>() : "";
    if (!text.empty() && !is_qualified_part(text))
      causes.push_back(invalid_value("metadata.labels", value,
                                     "a valid label must be an empty string or consist of "
                                     "alphanumeric characters, '-', '_' or '.', and must start and "
                                     "end with an alphanumeric character"));
  }
}

void check_annotations(const Json& annotations, std::vector<Cause>& causes) {
  if (!annotations.is_object()) return;
  std::size_t size = 0;
  for (const auto& item : annotations.items()) {
    if (!is_qualified_name(item.key()))
      causes.push_back(invalid_value("metadata.annotations", item.key(), "not a qualified name"));
    size += item.key().size();
    if (item.value().is_string()) size += item.value().get_ref<const std::string&>().size();
  }
  if (size > kMaxAnnotations)
    causes.push_back({"metadata.annotations", "FieldValueTooLong",
                      fmt::format("Too long: may not be more than {} bytes", kMaxAnnotations)});
}

void check_owners(const Json& owners, std::vector<Cause>& causes) {
  if (!owners.is_array()) return;
  int controllers = 0;
  for (const auto& owner : owners) {
    for (const auto* key : {"apiVersion", "kind", "name", "uid"}) {
      if (json_text(owner, {key}).empty())
        causes.push_back(invalid_value(fmt::format("metadata.ownerReferences.{}", key), "",
                                       "must not be empty"));
    }
    if (json_at(owner, {"controller"}) == true) ++controllers;
  }
  if (controllers > 1)
    causes.push_back(invalid_value("metadata.ownerReferences", owners,
                                   "Only one reference can have Controller set to true."));
}

void check_identity(const Json& object, const Json& old, std::vector<Cause>& causes) {
  for (const auto* key : {"name", "namespace", "uid"}) {
    const Json& now = json_at(object, {"metadata", key});
    if (now != json_at(old, {"metadata", key}))
      causes.push_back(invalid_value(fmt::format("metadata.{}", key), now, "field is immutable"));
  }
}

void check_finalizers(const Json& object, const Json& old, std::vector<Cause>& causes) {
  const Json& now = json_at(object, {"metadata", "finalizers"});
  const Json& before = json_at(old, {"metadata", "finalizers"});
  if (!now.is_array() || json_at(old, {"metadata", "deletionTimestamp"}).is_null()) return;
  std::string added;
  for (const auto& finalizer : now) {
    if (!before.is_array() || std::find(before.begin(), before.end(), finalizer) == before.end())
      added += (added.empty() ? "" : ", ") + dump_json(finalizer);
  }
  if (!added.empty())
    causes.push_back(
        {"metadata.finalizers", "FieldValueForbidden",
         fmt::format("Forbidden: no new finalizers can be added if the object is being deleted, "
                     "found new finalizers []string{{{}}}",
                     added)});
}

// "spec.steps: found …, must …" as the decoders say it.
Cause cause_of(const Error& error) {
  const auto colon = error.message.find(": ");
  const auto field = error.message.substr(0, colon);
  const auto why = colon == std::string::npos ? "" : error.message.substr(colon + 2);
  return {field, "FieldValueInvalid", "Invalid value: " + why};
}

void check_ours(const Resource& resource, const Json& object, std::vector<Cause>& causes) {
  const Json& spec = json_at(object, {"spec"});
  if (resource.kind == "Release") {
    const auto decoded = decode_release_spec(spec, json_text(object, {"metadata", "name"}));
    if (!decoded) causes.push_back(cause_of(decoded.error()));
  } else if (resource.kind == "CanaryPolicy") {
    const auto decoded = decode_policy_spec(spec);
    if (!decoded) causes.push_back(cause_of(decoded.error()));
  } else if (resource.kind == "Pipeline") {
    const auto pipeline = decode_pipeline(object);
    if (pipeline && !pipeline->spec) causes.push_back(cause_of(pipeline->spec.error()));
  } else if (resource.kind == "PipelineRun") {
    const auto run = decode_pipeline_run(object);
    if (run && !run->spec) causes.push_back(cause_of(run->spec.error()));
  }
}

void check_workload(const Json& object, std::vector<Cause>& causes) {
  const Json& selector = json_at(object, {"spec", "selector", "matchLabels"});
  const Json& labels = json_at(object, {"spec", "template", "metadata", "labels"});
  const bool matches = selector.is_object() && !selector.empty() && json_covers(labels, selector);
  if (!matches && !json_at(object, {"spec", "selector"}).contains("matchExpressions"))
    causes.push_back(invalid_value("spec.template.metadata.labels", labels,
                                   "`selector` does not match template `labels`"));
}

void check_service(const Json& object, std::vector<Cause>& causes) {
  const Json& ports = json_at(object, {"spec", "ports"});
  if (!ports.is_array() || ports.empty()) {
    if (json_text(object, {"spec", "type"}) != "ExternalName" &&
        json_text(object, {"spec", "clusterIP"}) != "None")
      causes.push_back({"spec.ports", "FieldValueRequired", "Required value"});
    return;
  }
  std::set<std::string> names;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const auto name = json_text(ports[i], {"name"});
    const auto field = fmt::format("spec.ports[{}].name", i);
    if (name.empty() && ports.size() > 1)
      causes.push_back({field, "FieldValueRequired", "Required value"});
    if (!name.empty() && !names.insert(name).second)
      causes.push_back({field, "FieldValueDuplicate", "Duplicate value: " + dump_json(Json(name))});
  }
}

Json map_of_text() {
  return Json{{"type", "object"}, {"additionalProperties", {{"type", "string"}}}};
}

}  // namespace

Schema metadata_schema() {
  const Json text{{"type", "string"}};
  const Json anything{{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}};
  const Json owner{{"type", "object"},
                   {"properties",
                    {{"apiVersion", text},
                     {"kind", text},
                     {"name", text},
                     {"uid", text},
                     {"controller", {{"type", "boolean"}}},
                     {"blockOwnerDeletion", {{"type", "boolean"}}}}}};
  return Schema::parse(Json{
      {"type", "object"},
      {"properties",
       {{"name", text},
        {"generateName", text},
        {"namespace", text},
        {"selfLink", text},
        {"uid", text},
        {"resourceVersion", text},
        {"generation", {{"type", "integer"}}},
        {"creationTimestamp", {{"type", "string"}, {"nullable", true}}},
        {"deletionTimestamp", {{"type", "string"}, {"nullable", true}}},
        {"deletionGracePeriodSeconds", {{"type", "integer"}}},
        {"labels", map_of_text()},
        {"annotations", map_of_text()},
        {"finalizers", {{"type", "array"}, {"x-kubernetes-list-type", "set"}, {"items", text}}},
        {"ownerReferences",
         {{"type", "array"},
          {"x-kubernetes-list-type", "map"},
          {"x-kubernetes-list-map-keys", {"uid"}},
          {"items", owner}}},
        {"managedFields", {{"type", "array"}, {"items", anything}}}}}});
}

std::vector<Cause> check_metadata(const Resource& resource, const Json& object, const Json* old) {
  std::vector<Cause> causes;
  if (!old) check_name(resource, object, causes);
  if (old) check_identity(object, *old, causes);
  const auto changed = [&](const char* key) {
    return !old || json_at(object, {"metadata", key}) != json_at(*old, {"metadata", key});
  };
  const auto part = [&](const char* key) -> const Json& {
    return json_at(object, {"metadata", key});
  };
  if (changed("labels")) check_labels(part("labels"), causes);
  if (changed("annotations")) check_annotations(part("annotations"), causes);
  if (changed("ownerReferences")) check_owners(part("ownerReferences"), causes);
  if (old && changed("finalizers")) check_finalizers(object, *old, causes);
  return causes;
}

std::vector<Cause> check_immutable(const Resource& resource, const Json& object, const Json& old) {
  std::vector<Cause> causes;
  for (const auto& path : resource.immutable) {
    const Json& now = value_at(object, path);
    if (now == value_at(old, path)) continue;
    std::string field;
    for (const auto& key : path) field += (field.empty() ? "" : ".") + key;
    causes.push_back(invalid_value(field, now, "field is immutable"));
  }
  return causes;
}

std::vector<Cause> check_across(const Resource& resource, const Json& object, const Json* old) {
  std::vector<Cause> causes;
  if (old && json_at(object, {"spec"}) == json_at(*old, {"spec"})) return causes;
  if (resource.strict) check_ours(resource, object, causes);
  if (resource.kind == "ReplicaSet" || resource.kind == "Deployment")
    check_workload(object, causes);
  if (resource.kind == "Service") check_service(object, causes);
  return causes;
}

}  // namespace weir::sim
