// The nouns of every Kubernetes API call: kind, key, selection, patch.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/json.h"

namespace weir {

struct Kind {
  std::string_view group;    // "" for core
  std::string_view version;  // "v1"
  std::string_view name;     // "ReplicaSet"
  std::string_view plural;   // "replicasets"

  std::string api_version() const;  // "apps/v1", "v1"
  bool operator==(const Kind&) const = default;
};

struct ObjectKey {
  std::string ns;  // "" for a cluster-scoped object
  std::string name;

  auto operator<=>(const ObjectKey&) const = default;
};
std::string to_string(const ObjectKey& key);  // "namespace/name", or "name" without one

// What a list or watch covers.
struct Selection {
  std::string ns{};      // "" = all namespaces
  std::string labels{};  // label selector in API syntax; "" = all
};

// Under which we write: whose fields the server says are ours (metadata.managedFields).
inline constexpr std::string_view kFieldManager = "weir";

// A change of one object. There is no PUT: typed structs may forget fields they do not know without losing them.
struct Patch {
  enum class Type {
    Apply,      // server-side apply (KEP-555), forced: the whole of what the field manager owns
    JsonPatch,  // RFC 6902
    JsonMerge,  // RFC 7386: lists are replaced whole, null removes
  };
  Type type = Type::JsonMerge;
  std::string body{};         // JSON text
  std::string subresource{};  // "", "status" or "scale"
  bool dry_run = false;
};

}  // namespace weir
