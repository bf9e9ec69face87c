// What the server knows of each kind that it serves: ours from crds/, the others from builtin.yaml, all embedded in the binary.
// A new kind is one more definition.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/server/refusal.h"
#include "sim/server/schema.h"

namespace weir::sim {

using FieldPath = std::vector<std::string>;  // keys from the root; no lists

struct PrinterColumn {
  std::string name;
  std::string type;  // string | integer | date …
  std::string description;
  std::string json_path;  // ".status.phase"
  std::int64_t priority = 0;
  bool zero = false;  // a missing number is 0, not nothing
};

struct ScalePaths {
  FieldPath spec_replicas;
  FieldPath status_replicas;
  FieldPath selector;  // may be empty
};

// Immutable; thread-safe.
struct Resource {
  std::string group, version, kind, list_kind, plural, singular;
  std::vector<std::string> short_names, categories;
  bool namespaced = true;
  bool custom = false;      // served by a CRD in a real cluster
  bool strict = false;      // its schema knows all of its fields
  bool has_status = false;  // as a subresource
  bool has_generation = true;
  bool label_names = false;   // names are DNS labels, not subdomains
  bool unconditional = true;  // PUT needs no resourceVersion
  std::optional<ScalePaths> scale;
  std::vector<FieldPath> immutable;
  std::vector<std::string> fields;  // for field selectors, besides name and namespace
  std::vector<PrinterColumn> columns;
  Schema schema;  // of the whole object; metadata is checked by metadata.h

  std::string api_version() const;
  Subject subject(const std::string& name) const { return {group, kind, plural, name}; }
};

// In the order of group, version, plural.
const std::vector<Resource>& resources();
// Plurals are unique among ours. Null when there is none.
const Resource* find_resource(std::string_view plural);

// "spec.replicas" or ".spec.replicas".
FieldPath parse_field_path(std::string_view text);
const Json& value_at(const Json& object, const FieldPath& path);
// Makes the objects on the way.
void set_value_at(Json& object, const FieldPath& path, Json value);

}  // namespace weir::sim
