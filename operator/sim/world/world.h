// What surrounds the operator: Kubernetes' controllers and kubelets, a gateway, callers, and a metric source. Virtual time; all
// chance from the seed.
#pragma once

#include "sim/stage.h"
#include "sim/world/callers.h"
#include "sim/world/deployments.h"
#include "sim/world/endpoints.h"
#include "sim/world/garbage_collector.h"
#include "sim/world/gateway.h"
#include "sim/world/job_pods.h"
#include "sim/world/jobs.h"
#include "sim/world/kubelet.h"
#include "sim/world/prometheus.h"
#include "sim/world/replica_sets.h"

namespace weir::sim {

class World {
 public:
  World(ApiServer& server, Stage& stage, Random& random, const WorldOptions& options,
        const WorldFaults& faults)
      : scene_{server, stage.clock(), random, options, faults},
        garbage_collector_(scene_),
        deployments_(scene_),
        replica_sets_(scene_),
        kubelet_(scene_),
        jobs_(scene_),
        job_pods_(scene_),
        endpoints_(scene_),
        gateway_(scene_),
        callers_(scene_, gateway_, kubelet_),
        prometheus_(scene_, callers_) {
    for (auto* part : parts_) stage.enter(*part);
  }

  // Somebody wrote an object of this kind.
  void note(const std::string& plural) {
    for (auto* part : parts_) part->note(plural);
  }

  // Somebody has taken pods or children of a revision away: what that costs is not the operator's fault.
  void blame_people(const std::string& revision) { kubelet_.blame_world(revision); }

  const Scene& scene() const { return scene_; }
  const Gateway& gateway() const { return gateway_; }
  const Callers& callers() const { return callers_; }
  Callers& callers() { return callers_; }
  Prometheus& prometheus() { return prometheus_; }
  const Prometheus& prometheus() const { return prometheus_; }

 private:
  Scene scene_;
  GarbageCollector garbage_collector_;
  Deployments deployments_;
  ReplicaSets replica_sets_;
  Kubelet kubelet_;
  Jobs jobs_;
  JobPods job_pods_;
  Endpoints endpoints_;
  Gateway gateway_;
  Callers callers_;
  Prometheus prometheus_;
  std::vector<Reactor*> parts_{&garbage_collector_, &deployments_, &replica_sets_,
                               &kubelet_,           &jobs_,        &job_pods_,
                               &endpoints_,         &gateway_,     &callers_};
};

}  // namespace weir::sim
