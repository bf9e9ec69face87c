// Sets of field paths, as managedFields holds them (FieldsV1), and what server-side apply does with them
// (https://kubernetes.io/docs/reference/using-api/server-side-apply/; sigs.k8s.io/structured-merge-diff). Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sim/server/schema.h"

namespace weir::sim {

// A tree; its keys are written as in FieldsV1: "f:name", "k:{\"name\":\"a\"}", "v:\"x\"".
struct FieldSet {
  bool member = false;  // the path that leads here is in the set
  std::map<std::string, FieldSet, std::less<>> children;

  bool empty() const { return !member && children.empty(); }
  bool operator==(const FieldSet&) const = default;
};

Json fields_v1(const FieldSet& set);
FieldSet parse_fields_v1(const Json& json);
// Removes what is in `other`.
void subtract(FieldSet& set, const FieldSet& other);
bool overlap(const FieldSet& a, const FieldSet& b);
void unite(FieldSet& set, const FieldSet& other);
// Paths that are in both, as a conflict names them: ".spec.ports[name=\"http\"].port".
std::vector<std::string> common_paths(const FieldSet& a, const FieldSet& b);

// The leaves of a value: what its applier owns. Null schema: maps are granular, lists atomic.
FieldSet fields_of(const Schema* schema, const Json& value);
// Whether `set` is just that, without building it: most applies own what they owned before.
bool is_fields_of(const Schema* schema, const Json& value, const FieldSet& set);

struct Changes {
  FieldSet written;  // added or changed
  FieldSet removed;
};
// Of one member; null: it is not there.
void compare_member(const Schema& schema, const std::string& name, const Json* before,
                    const Json* after, Changes& changes);

// Lays `config` over `live`, and is moved from: maps and lists with keys are merged, all else is replaced.
void merge_config(const Schema* schema, Json& live, Json config);

// Takes out of `live` what `last` owned and neither `next` nor any of `others` owns.
void remove_dropped(const Schema* schema, Json& live, const FieldSet& last, const FieldSet& next,
                    const std::vector<const FieldSet*>& others);

}  // namespace weir::sim
