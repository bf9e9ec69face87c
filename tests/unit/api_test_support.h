// YAML of the repository as JSON, walks over CRD schemas, and texts that tell decoded structs apart.
#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "api/canary_policy.h"
#include "api/pipeline_run.h"
#include "api/release.h"
#include "base/json.h"

namespace weir::api_test {

// A path relative to the root of the repository.
Json load_yaml(const std::string& path);

// openAPIV3Schema of "canarypolicies", "releases" …
Json load_schema(const std::string& plural);

struct SchemaField {
  std::string path;  // "spec.steps[].weight"; "spec.hosts[]" for the items of a list
  const Json* schema = nullptr;
  bool required = false;
};

// All fields below `schema`, parents first.
std::vector<SchemaField> fields_of(const Json& schema, const std::string& path);

// As the API server fills in defaults. Adds the path of each default that was used to `used`.
void apply_defaults(const Json& schema, const std::string& path, Json& value,
                    std::set<std::string>& used);

// Every member of a value, as "status.weights[].revision".
std::set<std::string> paths_in(const Json& value, const std::string& path);

// "/spec/steps/0/weight" as "spec.steps[].weight" and as "spec.steps[0].weight".
std::string shape_of_pointer(const std::string& pointer);
std::string path_of_pointer(const std::string& pointer);

// Equal structs have equal texts; different ones do not.
std::string describe(const CanaryPolicySpec& policy);
std::string describe(const ReleaseSpec& release);
std::string describe(const PipelineSpec& pipeline);
std::string describe(const PipelineRunSpec& run);

struct Decoded {
  std::string text;   // of the struct; "" when refused
  std::string error;  // "" when accepted
};
// By its kind.
Decoded decode_spec_of(const Json& object);

}  // namespace weir::api_test
