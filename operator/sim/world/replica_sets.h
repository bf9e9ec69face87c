#pragma once

#include "sim/world/reactor.h"

namespace weir::sim {

// Kubernetes' ReplicaSet controller: as many pods as wanted, and their count in status.
class ReplicaSets final : public Reactor {
 public:
  explicit ReplicaSets(const Scene& scene)
      : Reactor(scene, {"replicasets", "pods"}, scene.options.controller_lag),
        next_quota_(scene.next_after(scene.faults.quota_gap)) {}

 private:
  using Pods = std::vector<ApiServer::Held>;

  std::optional<SimTime> reconcile() override;
  std::optional<SimTime> reconcile_one(const Json& set, Pods pods);
  // Creates or deletes towards `wanted`; tells when to try again.
  std::optional<SimTime> scale(const Json& set, const Pods& pods);
  void create_pod(const Json& set);
  bool quota_refuses();

  std::optional<SimTime> next_quota_;  // begins to refuse
  SimTime quota_until_{0};
  std::uint64_t pods_ = 0;
};

}  // namespace weir::sim
