#include <nlohmann/json.hpp>

#include "api/codec.h"
#include "api/lenient.h"
#include "api/text_rules.h"

namespace weir {
namespace {

constexpr std::size_t kMaxEditor = 128;  // bytes, as the server allows

bool is(const Json& json, std::initializer_list<std::string_view> path, bool wanted) {
  const Json& at = json_at(json, path);
  return at.is_boolean() && at.get<bool>() == wanted;
}

// Who, other than us, is the manager of a field of the spec. The server takes a field from its manager when another writes a
// value that differs, so nobody's edit outlives our next write.
std::string editor_of(const Json& object, std::initializer_list<std::string_view> field) {
  const Json& managers = json_at(object, {"metadata", "managedFields"});
  if (!managers.is_array()) return "";
  for (const Json& entry : managers) {
    const auto name = json_text(entry, {"manager"});
    const bool theirs = name != kFieldManager && json_text(entry, {"subresource"}) != "status";
    if (theirs && !json_at(json_at(entry, {"fieldsV1"}), field).is_null())
      return clip(name, kMaxEditor);
  }
  return "";
}

}  // namespace

Result<ReplicaSetView> decode_replica_set(const Json& object) {
  ReplicaSetView view;
  ASSIGN_OR_RETURN(view.meta, decode_meta(object));
  view.edited_by = editor_of(object, {"f:spec", "f:replicas"});
  view.replicas = small_int(object, {"spec", "replicas"}, 1);
  view.min_ready_seconds = small_int(object, {"spec", "minReadySeconds"});
  view.current = small_int(object, {"status", "replicas"});
  view.ready = small_int(object, {"status", "readyReplicas"});
  view.available = small_int(object, {"status", "availableReplicas"});
  view.observed_generation = json_int(object, {"status", "observedGeneration"});
  return view;
}

Result<EndpointSliceView> decode_endpoint_slice(const Json& object) {
  EndpointSliceView view;
  ASSIGN_OR_RETURN(view.meta, decode_meta(object));
  view.service = json_text(object, {"metadata", "labels", "kubernetes.io/service-name"});
  const Json& endpoints = json_at(object, {"endpoints"});
  if (!endpoints.is_array()) return view;
  for (const Json& endpoint : endpoints) {
    ++view.total;
    // "A nil value should be interpreted as true" (discovery.k8s.io/v1, EndpointConditions.ready).
    const bool unready = is(endpoint, {"conditions", "ready"}, false);
    const bool terminating = is(endpoint, {"conditions", "terminating"}, true);
    if (terminating) ++view.terminating;
    if (!unready && !terminating) ++view.ready;
  }
  return view;
}

Result<RawObject> decode_raw(const Json& object) {
  RawObject raw;
  ASSIGN_OR_RETURN(raw.meta, decode_meta(object));
  raw.edited_by = editor_of(object, {"f:spec"});
  for (const std::string_view name : {"spec", "status"}) {
    const Json& part = json_at(object, {name});
    if (part.is_null()) continue;
    raw.text += raw.text.empty() ? "{\"" : ",\"";
    raw.text.append(name).append("\":").append(dump_json(part));
  }
  raw.text += raw.text.empty() ? "{}" : "}";
  return raw;
}

}  // namespace weir
