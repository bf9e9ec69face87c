// A Release and its world in a few lines: the snapshot that decisions rest on, set up by hand.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "api/codec.h"
#include "base/json.h"
#include "delivery/release_course.h"
#include "delivery/release_plan.h"
#include "delivery/release_questions.h"
#include "delivery/release_snapshot.h"
#include "delivery/release_status.h"
#include "plugins/all.h"

namespace weir::test {

inline WallTime at_second(double seconds) {
  return WallTime(std::chrono::microseconds(static_cast<std::int64_t>(seconds * 1e6)));
}

inline CanaryPolicySpec usual_policy() {
  CanaryPolicySpec policy;
  policy.steps = {{5, seconds(10)}, {25, seconds(10)}, {50, seconds(10)}, {100, seconds(10)}};
  policy.watch = seconds(60);
  policy.drain = seconds(30);
  policy.max_hold = seconds(100);
  policy.judge.warmup = seconds(0);
  policy.sources = {{"prometheus", PrometheusSource{"http://prometheus:9090"}}};
  Objective errors;
  errors.name = "errors";
  errors.source = "prometheus";
  errors.ratio = RatioObjective{{"bad", "", "total"}, std::nullopt, 0.05};
  policy.objectives = {errors};
  return policy;
}

// Evidence of the usual policy's objective, in one sample.
inline ObjectiveEvidence counted_at_once(double bad, double total) {
  ObjectiveEvidence evidence;
  evidence.bad = bad;
  evidence.total = total;
  (void)count(evidence, *usual_policy().objectives[0].ratio, {{bad, total}, std::nullopt, 0});
  return evidence;
}

// Revision "v1" is stable and "v2" wanted; 4 replicas; names stand for hashes.
class Scene {
 public:
  Scene() {
    release_.meta = {{"shop-ns", "shop"}, "uid-release", "100", 7};
    ReleaseSpec spec;
    spec.replicas = 4;
    spec.template_text = R"({"spec":{"containers":[{"name":"shop","image":"shop:2"}]}})";
    spec.service = {"shop", {{"http", 80, "8080"}}};
    spec.traffic.gateway_api = {
        R"([{"name":"web","namespace":"gateways"}])", {"shop.example.com"}, "[]"};
    spec.policy = "standard";
    release_.spec = spec;
    snapshot_.router = all_plugins().router(TrafficType::GatewayApi);
    snapshot_.pod_template = *parse_json(spec.template_text);
    snapshot_.wanted = snapshot_.first = "v2";
    snapshot_.policy = PinnedPolicy{"standard", 1, usual_policy(), "pinned"};
  }

  Scene& wants(const std::string& revision) {
    snapshot_.wanted = snapshot_.first = revision;
    return *this;
  }

  Scene& revision(const std::string& name, int replicas, int ready) {
    auto set = std::make_shared<ReplicaSetView>();
    set->meta = {{"shop-ns", "shop-" + name}, "uid-rs-" + name, "50"};
    set->meta.annotations[std::string(marks::kPolicy)] = "pinned";
    set->replicas = set->current = replicas;
    set->ready = set->available = ready;
    auto service = std::make_shared<RawObject>();
    service->meta = {{"shop-ns", "shop-" + name}, "uid-svc-" + name, "51"};
    service->text =
        dump_json(Json{{"spec", revision_service_body(release_, *release_.spec, name)["spec"]}});
    snapshot_.revisions[name] = {set, service, ready, replicas};
    return *this;
  }

  // The callers' Service is the route.
  Scene& by_pods() {
    release_.spec->traffic = {TrafficType::Replicas, {}};
    snapshot_.router = all_plugins().router(TrafficType::Replicas);
    return *this;
  }

  // What the route says, and that the gateway has taken it up.
  Scene& route(const Traffic& traffic, bool accepted = true) {
    snapshot_.traffic = traffic;
    snapshot_.route_state = {
        true, accepted, accepted ? "" : "not yet", {}, encode_traffic(traffic)};
    for (const auto& [name, view] : snapshot_.revisions)
      snapshot_.route_state.backends.push_back({name, "shop-" + name, traffic.weight_of(name)});
    auto route = std::make_shared<RawObject>();
    route->meta = {{"shop-ns", "shop"}, "uid-route", "60", 3};
    const auto plan =
        *snapshot_.router->plan(release_,
                                {snapshot_.route_state.backends, snapshot_.route_state.memo,
                                 callers_service_body(release_, *release_.spec, traffic.stable)},
                                nullptr, false);
    const auto& body = std::get<CreateObject>(*plan).body;
    for (const auto& [name, text] : body["metadata"]["annotations"].items())
      route->meta.annotations[name] = text.get<std::string>();
    for (const auto& [name, text] : body["metadata"]["labels"].items())
      route->meta.labels[name] = text.get<std::string>();
    route->text = dump_json(Json{{"spec", body["spec"]}});
    snapshot_.route = route;
    if (snapshot_.router->shares_by_pods()) snapshot_.callers["shop"] = route;
    if (!traffic.canary.empty())
      snapshot_.judged = traffic.canary;
    else if (traffic.promoted && !traffic.previous.empty())
      snapshot_.judged = traffic.stable;
    return *this;
  }

  // What status remembers of the canary at its present weight.
  Scene& canary_since(std::optional<WallTime> accepted, std::optional<WallTime> since) {
    CanaryStatus canary;
    canary.revision = snapshot_.traffic.canary;
    canary.weight = snapshot_.traffic.weight;
    canary.started = at_second(0);
    canary.accepted = accepted;
    canary.since = since;
    release_.status.canary = canary;
    return *this;
  }

  Scene& counted(double bad, double total, WallTime sampled) {
    auto& errors = snapshot_.evidence["errors"] = counted_at_once(bad, total);
    errors.sampled = sampled;
    if (bad > 0) errors.bad_since = sampled - seconds(1);
    return *this;
  }

  Scene& source_fails(const std::string& why) {
    snapshot_.evidence["errors"].source_error = Error{ErrorKind::Unavailable, why};
    return *this;
  }

  Release& release() { return release_; }
  ReleaseStatus& status() { return release_.status; }
  CanaryPolicySpec& policy() { return snapshot_.policy->spec; }
  ReleaseSnapshot& snapshot() {
    snapshot_.release = std::make_shared<Release>(release_);
    // What was counted, was counted at the present weight.
    const auto& canary = release_.status.canary;
    for (auto& [objective, evidence] : snapshot_.evidence) {
      if (canary && canary->accepted) evidence.judged_from = *canary->accepted;
      if (snapshot_.traffic.promoted) evidence.judged_from = *snapshot_.traffic.promoted;
    }
    return snapshot_;
  }

  Course course(WallTime now) { return chart_course(snapshot(), now); }
  Plan plan(WallTime now, const Error* refused = nullptr) {
    const auto course = chart_course(snapshot(), now);
    return plan_release(snapshot_, course, now, refused);
  }

 private:
  Release release_;
  ReleaseSnapshot snapshot_;
};

inline Traffic stable_only(const std::string& stable) { return Traffic{stable, "", 0, "", {}, {}}; }
inline Traffic canary_at(int weight) { return Traffic{"v1", "v2", weight, "", {}, {}}; }

}  // namespace weir::test
