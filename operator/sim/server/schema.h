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

// Everything about it that the schema refuses, with paths from `path`. What equals `old` is not looked at again ("ratcheting");
// null: look at all.
void check_value(const Schema& schema, const Json& value, const Json* old, const std::string& path,
                 std::vector<Cause>& causes);

// Removes members that the schema does not know; returns their paths, in order.
void prune(const Schema& schema, Json& value, const std::string& path,
           std::vector<std::string>& removed);

// Fills in defaults, and drops nulls that may not be there.
void fill_defaults(const Schema& schema, Json& value);

// "spec.ports[0]" and "name" give "spec.ports[0].name".
std::string member_path(const std::string& path, std::string_view name);

}  // namespace weir::sim
