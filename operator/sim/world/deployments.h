#pragma once

#include <vector>

#include "sim/world/reactor.h"

namespace weir::sim {

// Kubernetes' Deployment controller, with what makes taking its ReplicaSets away dangerous: it adopts those without a controller,
// makes a new one when none is of its template, and, paused or not, scales the newest of those it has when none is active.
class Deployments final : public Reactor {
 public:
  explicit Deployments(const Scene& scene)
      : Reactor(scene, {"deployments", "replicasets"}, scene.options.controller_lag) {}

 private:
  using Sets = std::vector<Json>;  // ReplicaSets of one Deployment, as they were found

  std::optional<SimTime> reconcile() override;
  void reconcile_one(const Json& deployment);
  Sets claim(const Json& deployment);
  void adopt(const Json& deployment, Json& set);
  void copy_annotations(const Json& deployment, const Json& set);
  void make_newest(const Json& deployment);
  void roll(const Json& deployment, const Sets& sets);
  void scale_at_rest(const Json& deployment, const Sets& sets);
  void scale(const Json& set, std::int64_t replicas);
  void tell(const Json& deployment, const Sets& sets);
};

}  // namespace weir::sim
