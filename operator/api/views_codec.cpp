#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "api/codec.h"

namespace weir {
namespace {

int small_int(const Json& json, std::initializer_list<std::string_view> path, int fallback = 0) {
  const std::int64_t value = json_int(json, path, fallback);
  return static_cast<int>(std::clamp<std::int64_t>(value, std::numeric_limits<int>::min(),
                                                   std::numeric_limits<int>::max()));
}

bool is(const Json& json, std::initializer_list<std::string_view> path, bool wanted) {
  const Json& at = json_at(json, path);
  return at.is_boolean() && at.get<bool>() == wanted;
}

}  // namespace

Result<ReplicaSetView> decode_replica_set(const Json& object) {
  ReplicaSetView view;
  ASSIGN_OR_RETURN(view.meta, decode_meta(object));
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
  Json text = Json::object();
  for (const auto* name : {"spec", "status"}) {
    const Json& part = json_at(object, {name});
    if (!part.is_null()) text[name] = part;
  }
  raw.text = dump_json(text);
  return raw;
}

}  // namespace weir
