#include "sim/world/endpoints.h"

#include <algorithm>

#include "kube/kinds.h"
#include "sim/world/pods.h"

namespace weir::sim {
namespace {

ObjectKey slice_key(const ObjectKey& service) { return {service.ns, service.name + "-slice"}; }

Json endpoint_of(const Json& pod) {
  return {
      {"addresses", Json::array({"10.0.0.1"})},
      {"conditions",
       {{"ready", is_ready(pod)}, {"serving", is_serving(pod)}, {"terminating", is_deleting(pod)}}},
      {"targetRef", {{"kind", "Pod"}, {"name", json_text(pod, {"metadata", "name"})}}}};
}

// Most looks find nothing to do: comparing costs less than building.
bool tells(const Json& endpoint, const Json& pod) {
  const auto holds = [&](std::string_view condition) {
    return json_at(endpoint, {"conditions", condition}) == true;
  };
  return json_at(endpoint, {"targetRef", "name"}) == json_at(pod, {"metadata", "name"}) &&
         holds("ready") == is_ready(pod) && holds("serving") == is_serving(pod) &&
         holds("terminating") == is_deleting(pod);
}

bool tells_all(const Json& endpoints, const std::vector<ApiServer::Held>& pods) {
  return endpoints.is_array() &&
         std::equal(endpoints.begin(), endpoints.end(), pods.begin(), pods.end(),
                    [](const Json& endpoint, const auto& pod) { return tells(endpoint, *pod); });
}

Json labels_for(const Json& service) {
  Json labels = json_at(service, {"metadata", "labels"});
  labels["kubernetes.io/service-name"] = json_at(service, {"metadata", "name"});
  return labels;
}

Json slice_of(const Json& service, Json labels, Json endpoints) {
  const auto key = slice_key(key_of(service));
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
  const auto key = slice_key(key_of(service));
  const Json* old = scene_.server.find(kinds::kEndpointSlice, key);
  // The slice of a Service that is gone waits for the garbage collector; a new one does not inherit it.
  if (old && owner_uids(*old) != std::vector{json_text(service, {"metadata", "uid"})}) {
    scene_.server.drop(kinds::kEndpointSlice, key);
    old = nullptr;
  }
  const auto pods = pods_of(scene_.server, service);
  Json labels = labels_for(service);
  if (old && tells_all(json_at(*old, {"endpoints"}), pods) &&
      json_at(*old, {"metadata", "labels"}) == labels)
    return;
  Json endpoints = Json::array();
  for (const auto& pod : pods) endpoints.push_back(endpoint_of(*pod));
  if (!old) {
    (void)scene_.server.create(kinds::kEndpointSlice, key.ns,
                               slice_of(service, std::move(labels), std::move(endpoints)), false,
                               Deadline(SteadyTime::max()));
    return;
  }
  scene_.server.edit(kinds::kEndpointSlice, key, [&](Json& object) {
    object["endpoints"] = std::move(endpoints);
    object["metadata"]["labels"] = std::move(labels);
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
