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
#include "api/workload.h"
#include "delivery/config_book.h"
#include "delivery/evidence.h"
#include "delivery/ports.h"
#include "delivery/revision.h"
#include "delivery/sightings.h"
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
  // It names copies of config that have not been made yet: its pods could not start.
  bool lacks_config() const {
    if (!replica_set) return false;
    const auto& annotations = replica_set->meta.annotations;
    return annotations.count(marks::kConfig) != 0 && annotations.count(marks::kConfigCopied) == 0;
  }
  // Since when `needed` of its pods have been ready without a break, by their own word: it knows of breaks that no observer saw.
  std::optional<WallTime> ready_since(int needed) const {
    std::vector<WallTime> since;
    for (const auto& pod : pods) {
      if (pod->ready && pod->ready_since) since.push_back(*pod->ready_since);
    }
    if (needed <= 0 || since.size() < static_cast<std::size_t>(needed)) return std::nullopt;
    std::nth_element(since.begin(), since.begin() + needed - 1, since.end());
    return since[static_cast<std::size_t>(needed) - 1];
  }
  bool has_pods() const {
    // The ReplicaSet does not count those that are ending, the slices only those that were ready.
    const bool counted =
        replica_set && (replica_set->replicas > 0 || replica_set->current > 0 || endpoints > 0);
    return counted ||
           std::any_of(pods.begin(), pods.end(), [](const auto& pod) { return !pod->finished; });
  }
};

// Weight 0 was written, and status does not say so yet. Times in status are whole seconds.
inline bool is_news(const std::optional<RollbackMark>& mark, const ReleaseStatus& status) {
  const auto& known = status.last_rollback;
  if (!mark || !known || !known->at) return mark.has_value();
  using std::chrono::floor;
  return known->revision != mark->revision ||
         floor<seconds>(*known->at) != floor<seconds>(mark->at);
}

// What is known of the content that spec.config names.
struct ConfigView {
  std::vector<ConfigRef> refs{};
  ConfigReading reading{};
  bool unread = false;           // an answer for this spec is on the way
  std::optional<Error> fault{};  // why it cannot be used; names the field

  bool known() const { return !refs.empty() && !unread && !fault; }
};

struct ReleaseSnapshot {
  std::shared_ptr<const Release> release;
  // The spec, resolved; an error keeps everything as it stands and becomes a condition.
  Result<Json> pod_template = Error{};
  std::string wanted;  // the spec's revision; "" when it cannot be told
  ConfigView config;
  std::string first;  // who serves when nobody has yet: an adopted revision with pods, or `wanted`
  // The Deployment of spec.workloadRef, once it carries our label; null before, or when it is gone.
  std::shared_ptr<const DeploymentView> deployment;
  Sightings::Seen seen;  // looked up
  std::map<std::string, RevisionView> revisions;
  std::map<std::string, std::shared_ptr<const RawObject>>
      callers;  // Services of role "callers", by name
  // The one that the spec asks for; but a release under way goes on with the one that it began with.
  const TrafficRouter* router = nullptr;
  std::shared_ptr<const RawObject> route;
  RouteState route_state;
  // A route of another router, from before the spec asked for this one; it goes when `route` tells of the traffic.
  const TrafficRouter* left_router = nullptr;
  std::shared_ptr<const RawObject> left_route;
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
