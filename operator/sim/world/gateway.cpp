#include "sim/world/gateway.h"

#include "api/meta.h"
#include "base/json.h"
#include "kube/kinds.h"
#include "sim/world/pods.h"

namespace weir::sim {
namespace {

constexpr SimTime kAwayLasts = seconds(12);

Json condition(std::string_view type, bool value, std::int64_t generation) {
  return {{"type", type}, {"status", value ? "True" : "False"}, {"observedGeneration", generation}};
}

}  // namespace

bool is_callers_route(const Json& service) {
  return json_text(service, {"metadata", "labels", marks::kRole}) == "callers" &&
         !json_text(service, {"metadata", "annotations", marks::kTraffic}).empty();
}

const Json* find_route(const ApiServer& server, const ObjectKey& release) {
  if (const Json* route = server.find(kinds::kHttpRoute, release)) return route;
  const Json* service = server.find(kinds::kService, release);
  return service && is_callers_route(*service) ? service : nullptr;
}

Weights weights_of_route(const Json& route) {
  Weights weights;
  const Json& selector = json_at(route, {"spec", "selector"});
  if (selector.is_object()) {
    const auto asked =
        parse_json(json_text(route, {"metadata", "annotations", "weir.dev/weights"}));
    if (!asked || !asked->is_object()) return weights;
    const auto sole = json_text(selector, {marks::kRevision});
    for (const auto& [service, weight] : asked->items()) {
      const int alone = service.ends_with("-" + sole) ? 100 : 0;
      weights[service] = sole.empty() ? weight.get<int>() : alone;
    }
    return weights;
  }
  const Json& rules = json_at(route, {"spec", "rules"});
  if (!rules.is_array() || rules.empty()) return weights;
  for (const auto& ref : json_at(rules.front(), {"backendRefs"}))
    weights[json_text(ref, {"name"})] = static_cast<int>(json_int(ref, {"weight"}, 1));
  return weights;
}

const Gateway::Served& Gateway::served(const ObjectKey& route) const {
  static const Served kNothing;
  const auto found = served_.find(route);
  return found == served_.end() ? kNothing : found->second;
}

int Gateway::weight(const ObjectKey& route, const std::string& service) const {
  const auto& weights = served(route).weights;
  const auto found = weights.find(service);
  return found == weights.end() ? 0 : found->second;
}

std::optional<SimTime> Gateway::reconcile() {
  follow_services();
  if (is_away()) return away_until_;
  for (auto& [key, served] : served_) {
    if (!find_route(scene_.server, key)) serve(served, {});
  }
  std::erase_if(
      seen_, [&](const auto& item) { return !scene_.server.find(kinds::kHttpRoute, item.first); });
  std::optional<SimTime> again = next_away_;
  for (const auto& route : scene_.server.all(kinds::kHttpRoute))
    again = earlier(again, take_up(*route));
  return again;
}

void Gateway::follow_services() {
  for (const auto& service : scene_.server.all(kinds::kService)) {
    if (is_callers_route(*service)) serve(served_[key_of(*service)], weights_of_route(*service));
  }
}

bool Gateway::is_away() {
  if (next_away_ && scene_.now() >= *next_away_) {
    away_until_ = scene_.now() + kAwayLasts;
    next_away_ = scene_.next_after(scene_.faults.gateway_away_gap);
  }
  return scene_.now() < away_until_;
}

std::optional<SimTime> Gateway::take_up(const Json& route) {
  const Json& parents = json_at(route, {"spec", "parentRefs"});
  if (!parents.is_array() || parents.empty()) return std::nullopt;  // no route of ours
  const auto key = key_of(route);
  const auto generation = json_int(route, {"metadata", "generation"});
  auto& seen = seen_[key];
  if (seen.generation != generation) seen = {generation, scene_.now()};
  const auto at = seen.at + scene_.options.gateway_lag;
  if (scene_.now() < at) return at;
  serve(served_[key], weights_of_route(route));
  bool resolved = true;
  for (const auto& [service, weight] : served_[key].weights)
    resolved = resolved && scene_.server.find(kinds::kService, {key.ns, service});
  const Json parent{{"parentRef", parents.front()},
                    {"controllerName", "sim.weir.dev/gateway"},
                    {"conditions", Json::array({condition("Accepted", true, generation),
                                                condition("ResolvedRefs", resolved, generation)})}};
  scene_.server.set_status(kinds::kHttpRoute, key, Json{{"parents", Json::array({parent})}});
  return std::nullopt;
}

void Gateway::serve(Served& served, const Weights& weights) {
  for (const auto& [service, weight] : weights) {
    const auto old = served.weights.find(service);
    const int before = old == served.weights.end() ? 0 : old->second;
    if (before != weight || served.since.count(service) == 0) served.since[service] = scene_.now();
  }
  for (const auto& [service, weight] : served.weights) {
    if (weights.count(service) == 0 && weight != 0) served.since[service] = scene_.now();
  }
  served.weights = weights;
}

}  // namespace weir::sim
