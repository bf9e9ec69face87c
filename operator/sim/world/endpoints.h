#pragma once

#include "sim/world/reactor.h"

namespace weir::sim {

// Kubernetes' EndpointSlice controller: the pods that a Service selects.
class Endpoints final : public Reactor {
 public:
  explicit Endpoints(const Scene& scene)
      : Reactor(scene, {"services", "pods"}, scene.options.controller_lag) {}

 private:
  std::optional<SimTime> reconcile() override;
  void write_slice(const Json& service);
};

// Ready endpoints of a Service; 0 when there is no such Service.
int ready_endpoints(const ApiServer& server, const ObjectKey& service);

}  // namespace weir::sim
