#include "api/object_check.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "api/spec_readers.h"
#include "base/nearest.h"
#include "kube/kinds.h"

namespace weir {
namespace {

constexpr Choice<int> kKinds[] = {{kinds::kCanaryPolicy.name, 0}, {kinds::kRelease.name, 1}};

// Set by the server; people copy them from `kubectl get -o yaml`.
constexpr const char* kServerFields[] = {"creationTimestamp",
                                         "deletionGracePeriodSeconds",
                                         "deletionTimestamp",
                                         "finalizers",
                                         "generation",
                                         "managedFields",
                                         "namespace",
                                         "ownerReferences",
                                         "resourceVersion",
                                         "selfLink",
                                         "uid"};

void check_texts(const FieldReader& meta, std::string_view name) {
  const auto texts = meta.object_or_empty(name).allow_more();
  const Json& found = meta.raw(name);
  if (!found.is_object()) return;
  for (const auto& [key, value] : found.items())
    if (!value.is_string()) texts.refuse(key, "text");
}

std::string read_meta(const FieldReader& meta, const TextRule& rule) {
  for (const auto* name : kServerFields) meta.has(name);
  check_texts(meta, "labels");
  check_texts(meta, "annotations");
  const bool generated = meta.has("generateName") && !meta.has("name");
  return generated ? "" : meta.text("name", rule);
}

std::vector<Fault> unknown_fields(const std::map<std::string, ObjectReading>& objects) {
  std::vector<Fault> faults;
  for (const auto& [path, reading] : objects) {
    if (reading.json == nullptr || reading.has_more) continue;
    const std::vector<std::string_view> known(reading.asked.begin(), reading.asked.end());
    for (const auto& [name, value] : reading.json->items()) {
      if (reading.asked.contains(name)) continue;
      faults.push_back({path.empty() ? name : fmt::format("{}.{}", path, name),
                        fmt::format("unknown field{}", did_you_mean(name, known))});
    }
  }
  return faults;
}

}  // namespace

bool is_of_our_group(const Json& object) {
  const auto version = json_text(object, {"apiVersion"});
  return version.substr(0, version.find('/')) == kinds::kRelease.group;
}

std::vector<Fault> check_object(const Json& object) {
  Reading reading;
  std::map<std::string, ObjectReading> objects;
  reading.objects = &objects;
  const FieldReader root(object, "", reading);
  const auto version = kinds::kRelease.api_version();
  const Json& found = root.raw("apiVersion");
  if (found != version) root.refuse("apiVersion", version);
  root.choice("kind", kKinds);
  root.has("status");
  // What another version or kind may say is not ours to know.
  if (!reading.faults.empty()) return reading.faults;
  const bool is_policy = json_text(object, {"kind"}) == kinds::kCanaryPolicy.name;
  const auto name = read_meta(root.object("metadata"),
                              is_policy ? text_rules::kSubdomain : text_rules::kReleaseName);
  const auto spec = root.object("spec");
  if (is_policy)
    read_policy_spec(spec);
  else
    read_release_spec(spec, name);
  auto faults = std::move(reading.faults);
  const auto unknown = unknown_fields(objects);
  faults.insert(faults.end(), unknown.begin(), unknown.end());
  return faults;
}

}  // namespace weir
