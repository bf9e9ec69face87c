// A structural schema, as a CustomResourceDefinition holds it
// (https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema).
// CEL rules are not evaluated: the decoders of api/ mirror them.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "base/json.h"
#include "sim/server/refusal.h"

namespace weir::sim {

// Immutable once parsed; thread-safe.
struct Schema {
  enum class Type { Any, Object, Array, String, Integer, Number, Boolean };
  enum class List { Atomic, Map, Set };

  static Schema parse(const Json& json);

  Type type = Type::Any;
  bool int_or_string = false;
  bool nullable = false;
  bool preserve_unknown = false;
  bool atomic_map = false;
  bool date_time = false;
  std::map<std::string, Schema, std::less<>> properties;
  std::shared_ptr<const Schema> items;
  std::shared_ptr<const Schema> additional;  // of a map with any keys
  std::vector<std::string> required;
  std::vector<std::string> enumeration;
  std::optional<std::int64_t> minimum, maximum;
  std::optional<std::size_t> min_length, max_length, min_items, max_items, max_properties;
  std::string pattern;
  std::optional<std::regex> regex;
  std::optional<Json> default_value;
  List list = List::Atomic;
  std::vector<std::string> list_keys;  // of List::Map

  // The schema of a member, or null when nothing is known of it.
  const Schema* member(std::string_view name) const;
};

// Where a value stands, as a chain on the stack: only what is complained of is written out.
struct Path {
  const Path* up = nullptr;
  std::string_view name{};    // of a member, or
  std::ptrdiff_t index = -1;  // of an item

  std::string text() const;  // "spec.ports[0].name"
};

struct Findings {
  std::vector<std::string> unknown;  // paths of members that the schema does not know
  std::vector<Cause> causes;
};

// Makes a value what the server stores: drops unknown members, fills in defaults, drops nulls that may not be there; and says
// what the schema refuses. What equals `old` is not looked at again ("ratcheting"); null: look at all.
void settle(const Schema& schema, Json& value, const Json* old, const Path& path,
            Findings& findings);

// Members that the schema does not know; they are removed.
void prune(const Schema& schema, Json& value, const Path& path, std::vector<std::string>& unknown);

// The member or item of an older value that corresponds, or null.
const Json* member_of(const Json* value, const std::string& name);
const Json* item_of(const Json* value, std::size_t index);

}  // namespace weir::sim
