#include "delivery/release_observer.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/sim_point.h"
#include "delivery/release_config.h"

namespace weir {
namespace {

std::string label(const ObjectMeta& meta, std::string_view name) {
  const auto found = meta.labels.find(name);
  return found == meta.labels.end() ? "" : found->second;
}

// Where every router keeps it; most objects that could be another router's route have none.
std::string memo_on(const RawObject& route) {
  const auto found = route.meta.annotations.find(marks::kTraffic);
  return found == route.meta.annotations.end() ? "" : found->second;
}

// Of a Release that gives back what it adopted: the garbage collector may have taken its name from what it owned, and the
// Deployment may have put its own there.
bool was_ours(const ObjectMeta& meta, const Release& release) {
  return release.meta.deleting && (meta.owner_uid.empty() || meta.owner_kind == "Deployment");
}

bool is_ours(const ObjectMeta& meta, const Release& release) {
  return !meta.deleting && (meta.owner_uid == release.meta.uid || was_ours(meta, release));
}

// A revision whose pods may serve callers already: an adopted one, or one that is complete when every witness of who serves is
// lost; else what the spec asks for.
std::string first_of(const ReleaseSnapshot& snapshot) {
  if (!snapshot.release->spec) return snapshot.wanted;
  const RevisionView* best = nullptr;
  std::string first = snapshot.wanted;
  const bool adopts = snapshot.deployment != nullptr;
  const auto is_better = [&](const RevisionView& view) {
    if (adopts) return view.replicas() > (best ? best->replicas() : 0);
    const bool complete = view.replica_set && view.ready() >= std::max(snapshot.spec().replicas, 1);
    return complete && (!best || view.replica_set->meta.created < best->replica_set->meta.created);
  };
  for (const auto& [name, view] : snapshot.revisions) {
    if (!is_better(view)) continue;
    best = &view;
    first = name;
  }
  return first;
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

Result<Json> adopted_template(const ReleaseSnapshot& snapshot) {
  if (snapshot.deployment) return parse_json(snapshot.deployment->template_text);
  return Error{ErrorKind::Invalid,
               fmt::format("spec.workloadRef.name: found \"{}\", must be the name of a Deployment "
                           "in namespace {}",
                           snapshot.spec().workload, snapshot.release->meta.key.ns)};
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
  observe_workload(snapshot);
  const auto& spec = snapshot.release->spec;
  if (!spec)
    snapshot.pod_template = spec.error();
  else if (spec->workload.empty())
    snapshot.pod_template = resolved_template(*spec);
  else
    snapshot.pod_template = adopted_template(snapshot);
  observe_children(snapshot);
  observe_traffic(snapshot);
  observe_config(snapshot, config_.read(snapshot.release->meta.uid));
  snapshot.first = first_of(snapshot);
  // The status that tells of a rollback shows what it rests on.
  const auto& mark = snapshot.traffic.rollback;
  const bool tells = snapshot.judged.empty() && is_news(mark, snapshot.release->status);
  const auto& shown = tells ? mark->revision : snapshot.judged;
  snapshot.policy = policy_for(snapshot, shown);
  if (!shown.empty()) snapshot.evidence = evidence_.read({snapshot.release->meta.uid, shown});
  return snapshot;
}

void ReleaseObserver::observe_workload(ReleaseSnapshot& snapshot) const {
  const Release& release = *snapshot.release;
  // Whatever became of the spec, what was taken is given back.
  const auto adopts = release.meta.annotations.find(marks::kAdopts);
  std::string name = release.spec ? release.spec->workload : "";
  if (name.empty() && adopts != release.meta.annotations.end()) name = adopts->second;
  if (name.empty()) return;
  const auto deployment = caches_.deployments.find({release.meta.key.ns, name});
  const bool ours = deployment && label(deployment->meta, marks::kRelease) == release.meta.key.name;
  if (ours && !deployment->meta.deleting) snapshot.deployment = deployment;
  snapshot.seen = caches_.sightings.of(release.meta.key);
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
  auto memo = observe_memo(snapshot);
  if (memo)
    snapshot.traffic = *std::move(memo);
  else
    snapshot.traffic = snapshot.route ? traffic_from_weights(snapshot) : rebuild_traffic(snapshot);
  const auto& traffic = snapshot.traffic;
  if (!traffic.canary.empty())
    snapshot.judged = traffic.canary;
  else if (traffic.promoted && !traffic.previous.empty())
    snapshot.judged = traffic.stable;
}

// The router, its route, and what that one, or the one from before a change of spec.traffic.type, says that the traffic is.
std::optional<Traffic> ReleaseObserver::observe_memo(ReleaseSnapshot& snapshot) const {
  const auto& spec = snapshot.release->spec;
  const auto type = spec ? spec->traffic.type : TrafficType::GatewayApi;
  snapshot.router = plugins_.router(type);
  if (!snapshot.router) return std::nullopt;
  snapshot.route = route_of(*snapshot.router, snapshot);
  snapshot.route_state = snapshot.router->state(snapshot.route.get());
  auto memo = decode_traffic(snapshot.route_state.memo);
  for (const auto* other : plugins_.routers) {
    const auto route = other == snapshot.router ? nullptr : route_of(*other, snapshot);
    if (!route) continue;
    auto before = decode_traffic(memo_on(*route));
    if (!memo && before && (!spec || !before->canary.empty())) {
      snapshot.router = other;
      snapshot.route = route;
      snapshot.route_state = other->state(route.get());
      return *std::move(before);
    }
    if (!memo && before) memo = std::move(before);
    snapshot.left_router = other;
    snapshot.left_route = route;
  }
  return memo ? std::optional(*std::move(memo)) : std::nullopt;
}

std::shared_ptr<const RawObject> ReleaseObserver::route_of(const TrafficRouter& router,
                                                           const ReleaseSnapshot& snapshot) const {
  const Release& release = *snapshot.release;
  if (!router.shares_by_pods()) {
    const auto route = caches_.routes.find(release.meta.key);
    return route && is_ours(route->meta, release) ? route : nullptr;
  }
  // The one that the spec names; until it is made, the one that it named before.
  std::shared_ptr<const RawObject> found;
  for (const auto& [name, service] : snapshot.callers) {
    if (!found || (release.spec && name == release.spec->service.name)) found = service;
  }
  return found;
}

Result<PinnedPolicy> ReleaseObserver::policy_for(const ReleaseSnapshot& snapshot,
                                                 const std::string& shown) const {
  const Release& release = *snapshot.release;
  const auto& traffic = snapshot.traffic;
  const auto& judged = snapshot.revision(shown).replica_set;
  // A policy that was changed together with the Release may be heard of a moment later: until the first weight it counts.
  const bool begun = shown != traffic.canary || traffic.weight > 0;
  const bool under_way = begun && (shown == snapshot.wanted || snapshot.wanted.empty());
  if (judged && under_way) {
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
