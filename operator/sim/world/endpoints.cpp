#include "sim/world/endpoints.h"

#include "kube/kinds.h"
#include "sim/world/pods.h"

namespace weir::sim {
namespace {

ObjectKey slice_key(const ObjectKey& service) { return {service.ns, service.name + "-slice"}; }

Json slice_of(const Json& service, Json endpoints) {
  const auto key = slice_key(key_of(service));
  Json labels = json_at(service, {"metadata", "labels"});
  labels["kubernetes.io/service-name"] = json_text(service, {"metadata", "name"});
  return {
      {"apiVersion", "discovery.k8s.io/v1"},
      {"kind", "EndpointSlice"},
      {"metadata",
       {{"name", key.name},
        {"namespace", key.ns},
        {"labels", std::move(labels)},
        {"ownerReferences", Json::array({Json{{"apiVersion", "v1"},
                                              {"kind", "Service"},
                                              {"name", json_text(service, {"metadata", "name"})},
                                              {"uid", json_text(service, {"metadata", "uid"})},
                                              {"controller", true}}})}}},
      {"addressType", "IPv4"},
      {"endpoints", std::move(endpoints)}};
}

}  // namespace

std::optional<SimTime> Endpoints::reconcile() {
  for (const auto& service : scene_.server.all(kinds::kService)) write_slice(*service);
  return std::nullopt;
}

void Endpoints::write_slice(const Json& service) {
  Json endpoints = Json::array();
  for (const auto& pod : pods_of(scene_.server, service)) {
    const bool ends = is_deleting(*pod);
    endpoints.push_back(
        {{"addresses", Json::array({"10.0.0.1"})},
         {"conditions",
          {{"ready", is_ready(*pod)}, {"serving", is_serving(*pod)}, {"terminating", ends}}},
         {"targetRef", {{"kind", "Pod"}, {"name", json_text(*pod, {"metadata", "name"})}}}});
  }
  const auto key = slice_key(key_of(service));
  Json slice = slice_of(service, std::move(endpoints));
  // The slice of a Service that is gone waits for the garbage collector; a new one does not inherit it.
  const Json* old = scene_.server.find(kinds::kEndpointSlice, key);
  if (old && json_at(*old, {"metadata", "ownerReferences"}) !=
                 json_at(slice, {"metadata", "ownerReferences"}))
    scene_.server.drop(kinds::kEndpointSlice, key);
  if (!scene_.server.find(kinds::kEndpointSlice, key)) {
    (void)scene_.server.create(kinds::kEndpointSlice, key.ns, slice, false,
                               Deadline(SteadyTime::max()));
    return;
  }
  if (json_at(*old, {"endpoints"}) == slice["endpoints"] &&
      json_at(*old, {"metadata", "labels"}) == slice["metadata"]["labels"])
    return;
  scene_.server.edit(kinds::kEndpointSlice, key, [&](Json& object) {
    object["endpoints"] = slice["endpoints"];
    object["metadata"]["labels"] = slice["metadata"]["labels"];
  });
}

int ready_endpoints(const ApiServer& server, const ObjectKey& service) {
  const Json* slice = server.find(kinds::kEndpointSlice, slice_key(service));
  if (!slice) return 0;
  int ready = 0;
  for (const auto& endpoint : json_at(*slice, {"endpoints"})) {
    if (json_at(endpoint, {"conditions", "ready"}) == true) ++ready;
  }
  return ready;
}

}  // namespace weir::sim
