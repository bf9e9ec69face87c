#include "api/object_check.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "api/spec_readers.h"
#include "api/stage_readers.h"
#include "base/nearest.h"
#include "kube/kinds.h"

namespace weir {
namespace {

enum class Ours { CanaryPolicy, Release, Pipeline, PipelineRun };
constexpr Choice<Ours> kKinds[] = {{kinds::kCanaryPolicy.name, Ours::CanaryPolicy},
                                   {kinds::kRelease.name, Ours::Release},
                                   {kinds::kPipeline.name, Ours::Pipeline},
                                   {kinds::kPipelineRun.name, Ours::PipelineRun}};

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

const TextRule& rule_of_name(Ours kind) {
  if (kind == Ours::CanaryPolicy) return text_rules::kSubdomain;
  return kind == Ours::Release ? text_rules::kReleaseName : text_rules::kServiceName;
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
  const auto kind = root.choice("kind", kKinds);
  root.has("status");
  // What another version or kind may say is not ours to know.
  if (!reading.faults.empty()) return reading.faults;
  const auto name = read_meta(root.object("metadata"), rule_of_name(kind));
  const auto spec = root.object("spec");
  switch (kind) {
    case Ours::CanaryPolicy: read_policy_spec(spec); break;
    case Ours::Release: read_release_spec(spec, name); break;
    case Ours::Pipeline: read_pipeline_spec(spec); break;
    case Ours::PipelineRun: read_pipeline_run_spec(spec); break;
  }
  auto faults = std::move(reading.faults);
  const auto unknown = unknown_fields(objects);
  faults.insert(faults.end(), unknown.begin(), unknown.end());
  return faults;
}

}  // namespace weir
