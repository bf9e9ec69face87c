// Everything a decision about one Release rests on, observed at one moment from the caches. A value: the same snapshot and time
// give the same plan, in the cluster, in the simulator and in a test.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/canary_policy.h"
#include "api/release.h"
#include "api/views.h"
#include "delivery/evidence.h"
#include "delivery/ports.h"
#include "delivery/revision.h"
#include "delivery/traffic.h"

namespace weir {

// One revision's children.
struct RevisionView {
  std::shared_ptr<const ReplicaSetView> replica_set;  // may be null
  std::shared_ptr<const RawObject> service;           // may be null
  int ready_endpoints = 0;
  int endpoints = 0;                                   // terminating ones included
  std::vector<std::shared_ptr<const PodView>> pods{};  // its ReplicaSet's, in the order of names

  int replicas() const { return replica_set ? replica_set->replicas : 0; }
  // Pods that have been ready for minReadySeconds and stand in the EndpointSlices.
  int ready() const { return replica_set ? std::min(replica_set->available, ready_endpoints) : 0; }
  bool has_pods() const {
    // The ReplicaSet does not count those that are ending, the slices only those that were ready.
    const bool counted =
        replica_set && (replica_set->replicas > 0 || replica_set->current > 0 || endpoints > 0);
    return counted ||
           std::any_of(pods.begin(), pods.end(), [](const auto& pod) { return !pod->finished; });
  }
};

struct ReleaseSnapshot {
  std::shared_ptr<const Release> release;
  // The spec, resolved; an error keeps everything as it stands and becomes a condition.
  Result<Json> pod_template = Error{};
  std::string wanted;  // the spec's revision; "" when it cannot be told
  std::map<std::string, RevisionView> revisions;
  std::map<std::string, std::shared_ptr<const RawObject>>
      callers;  // Services of role "callers", by name
  const TrafficRouter* router = nullptr;
  std::shared_ptr<const RawObject> route;
  RouteState route_state;
  Traffic traffic;  // what the route means, or what can be rebuilt of it
  std::string
      judged;  // the revision under judgement: the canary, or the one being watched; "" = none
  // Pinned on the judged revision; else the CanaryPolicy as it is now.
  Result<PinnedPolicy> policy = Error{};
  Evidence evidence;  // of `judged`

  const ReleaseSpec& spec() const { return *release->spec; }
  bool is_paused() const { return traffic.paused || (release->spec && release->spec->paused); }
  const RevisionView& revision(const std::string& name) const {
    static const RevisionView kNone;
    const auto found = revisions.find(name);
    return found == revisions.end() ? kNone : found->second;
  }
};

}  // namespace weir
