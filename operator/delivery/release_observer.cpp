#include "delivery/release_observer.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/sim_point.h"

namespace weir {
namespace {

std::string label(const ObjectMeta& meta, std::string_view name) {
  const auto found = meta.labels.find(name);
  return found == meta.labels.end() ? "" : found->second;
}

bool is_ours(const ObjectMeta& meta, const Release& release) {
  return meta.owner_uid == release.meta.uid && !meta.deleting;
}

// The route is the commit log. Without it (first revision, or somebody deleted it) status and the callers' Service still know
// which revision is stable; a release that was under way starts again at its first step.
Traffic rebuild_traffic(const ReleaseSnapshot& snapshot) {
  Traffic traffic;
  if (snapshot.release->status.stable) reached(SimPoint::MemoRebuilt);
  const auto& status = snapshot.release->status;
  if (status.stable) traffic.stable = status.stable->revision;
  for (const auto& [name, service] : snapshot.callers) {
    const auto json = parse_json(service->text);
    if (traffic.stable.empty() && json)
      traffic.stable = json_text(*json, {"spec", "selector", marks::kRevision});
  }
  traffic.paused =
      status.phase == Phase::Paused && !(snapshot.release->spec && snapshot.release->spec->paused);
  // A revision that was taken back once and is under way again was asked for anew.
  if (status.last_rollback && status.last_rollback->at && !status.canary) {
    const auto& last = *status.last_rollback;
    traffic.rollback =
        RollbackMark{last.revision, last.reason, last.message, last.bad_since, *last.at};
  }
  // Whatever was said, a revision without pods cannot be stable.
  if (!snapshot.revision(traffic.stable).replica_set) traffic.stable.clear();
  return traffic;
}

// A route whose memo was lost still shows by its weights who serves.
Traffic traffic_from_weights(const ReleaseSnapshot& snapshot) {
  Traffic traffic = rebuild_traffic(snapshot);
  const auto& backends = snapshot.route_state.backends;
  const auto heaviest =
      std::max_element(backends.begin(), backends.end(),
                       [](const Backend& a, const Backend& b) { return a.weight < b.weight; });
  if (traffic.stable.empty() && heaviest != backends.end()) traffic.stable = heaviest->revision;
  return traffic;
}

}  // namespace

std::string release_group(const ObjectMeta& meta) {
  const auto name = label(meta, marks::kRelease);
  return name.empty() ? "" : to_string(ObjectKey{meta.key.ns, name});
}

std::optional<ReleaseSnapshot> ReleaseObserver::observe(const ObjectKey& key) const {
  ReleaseSnapshot snapshot;
  snapshot.release = caches_.releases.find(key);
  if (!snapshot.release) return std::nullopt;
  const auto& spec = snapshot.release->spec;
  if (!spec) {
    snapshot.pod_template = spec.error();
  } else {
    snapshot.pod_template = resolved_template(*spec);
    if (snapshot.pod_template) snapshot.wanted = revision_of(*snapshot.pod_template);
  }
  observe_children(snapshot);
  observe_traffic(snapshot);
  snapshot.policy = policy_for(snapshot);
  if (!snapshot.judged.empty())
    snapshot.evidence = evidence_.read({snapshot.release->meta.uid, snapshot.judged});
  return snapshot;
}

void ReleaseObserver::observe_children(ReleaseSnapshot& snapshot) const {
  const Release& release = *snapshot.release;
  const auto group = to_string(release.meta.key);
  for (const auto& set : caches_.replica_sets.in_group(group)) {
    if (is_ours(set->meta, release))
      snapshot.revisions[label(set->meta, marks::kRevision)].replica_set = set;
  }
  for (const auto& service : caches_.services.in_group(group)) {
    if (!is_ours(service->meta, release)) continue;
    if (label(service->meta, marks::kRole) == "callers")
      snapshot.callers[service->meta.key.name] = service;
    else
      snapshot.revisions[label(service->meta, marks::kRevision)].service = service;
  }
  for (const auto& pod : caches_.pods.in_group(group)) {
    const auto found = snapshot.revisions.find(label(pod->meta, marks::kRevision));
    if (found == snapshot.revisions.end() || !found->second.replica_set) continue;
    if (pod->meta.owner_uid == found->second.replica_set->meta.uid)
      found->second.pods.push_back(pod);
  }
  for (const auto& slice : caches_.endpoint_slices.in_group(group)) {
    for (auto& [revision, view] : snapshot.revisions) {
      if (!view.service || slice->service != view.service->meta.key.name) continue;
      view.ready_endpoints += slice->ready;
      view.endpoints += slice->total;
    }
  }
}

void ReleaseObserver::observe_traffic(ReleaseSnapshot& snapshot) const {
  const Release& release = *snapshot.release;
  const auto type = release.spec ? release.spec->traffic.type : TrafficType::GatewayApi;
  snapshot.router = plugins_.router(type);
  const auto route = caches_.routes.find(release.meta.key);
  if (route && is_ours(route->meta, release)) snapshot.route = route;
  if (snapshot.router) snapshot.route_state = snapshot.router->state(snapshot.route.get());
  if (!snapshot.route) {
    snapshot.traffic = rebuild_traffic(snapshot);
  } else {
    auto traffic = decode_traffic(snapshot.route_state.memo);
    snapshot.traffic = traffic ? std::move(*traffic) : traffic_from_weights(snapshot);
  }
  const auto& traffic = snapshot.traffic;
  if (!traffic.canary.empty())
    snapshot.judged = traffic.canary;
  else if (traffic.promoted && !traffic.previous.empty())
    snapshot.judged = traffic.stable;
}

Result<PinnedPolicy> ReleaseObserver::policy_for(const ReleaseSnapshot& snapshot) const {
  const Release& release = *snapshot.release;
  const auto& judged = snapshot.revision(snapshot.judged).replica_set;
  const bool under_way = judged && (snapshot.judged == snapshot.wanted || snapshot.wanted.empty());
  if (under_way) {
    const auto pin = judged->meta.annotations.find(marks::kPolicy);
    if (pin != judged->meta.annotations.end()) {
      auto pinned = pins_.decode(pin->second);
      if (pinned) return pinned;
    }
  }
  if (!release.spec) return release.spec.error();
  const ObjectKey key{release.meta.key.ns, release.spec->policy};
  const auto policy = caches_.policies.find(key);
  if (!policy) {
    return Error{
        ErrorKind::NotFound,
        fmt::format("spec.strategy.canary.policyRef.name: found \"{}\", must be the name of "
                    "a CanaryPolicy in namespace {}",
                    key.name, key.ns)};
  }
  if (!policy->spec) {
    return Error{ErrorKind::Invalid,
                 fmt::format("CanaryPolicy {}: {}", key.name, policy->spec.error().message)};
  }
  return PinnedPolicy{key.name, policy->meta.generation, *policy->spec, pin_text(*policy)};
}

}  // namespace weir
