#pragma once

#include "sim/world/reactor.h"

namespace weir::sim {

// Kubernetes' garbage collector: what has lost its owner goes a moment later.
class GarbageCollector final : public Reactor {
 public:
  explicit GarbageCollector(const Scene& scene)
      : Reactor(scene,
                {"releases", "deployments", "replicasets", "services", "httproutes", "pods",
                 "endpointslices", "pipelineruns", "jobs", "controllerrevisions"},
                kLag) {
    scene.server.registry().defer_garbage();
  }

 private:
  static constexpr SimTime kLag = milliseconds(400);

  std::optional<SimTime> reconcile() override {
    scene_.server.registry().collect_garbage();
    return std::nullopt;
  }
};

}  // namespace weir::sim
