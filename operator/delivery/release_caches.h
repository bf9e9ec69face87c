// The stores that decisions about Releases read.
#pragma once

#include "api/canary_policy.h"
#include "api/release.h"
#include "api/views.h"
#include "api/workload.h"
#include "delivery/sightings.h"
#include "runtime/store.h"

namespace weir {

// "namespace/name" of the Release an object belongs to by its label; "" = to none.
std::string release_group(const ObjectMeta& meta);

struct ReleaseCaches {
  Store<Release> releases{[](const Release& r) {
    return r.spec ? to_string(ObjectKey{r.meta.key.ns, r.spec->policy}) : std::string();
  }};  // grouped by the policy they name
  Store<CanaryPolicy> policies{};
  Store<ReplicaSetView> replica_sets{[](const auto& o) { return release_group(o.meta); }};
  Store<RawObject> services{[](const auto& o) { return release_group(o.meta); }};
  Store<EndpointSliceView> endpoint_slices{[](const auto& o) { return release_group(o.meta); }};
  Store<PodView> pods{[](const auto& o) { return release_group(o.meta); }};
  Store<RawObject> routes{[](const auto& o) { return release_group(o.meta); }};
  Store<DeploymentView> deployments{[](const auto& o) { return release_group(o.meta); }};
  Sightings sightings{};
};

}  // namespace weir
