// Share by the number of pods, without a router: the callers' Service is the route. Its selector names one revision, or, while a
// canary has a share, the Release alone: then every ready pod takes part. See designs/011.
#include <fmt/format.h>

#include <algorithm>

#include "api/codec.h"
#include "base/json.h"
#include "base/sim_point.h"
#include "kube/kinds.h"
#include "plugins/factories.h"

namespace weir {
namespace {

// Annotation: the percents that were asked for, by the revisions' Services. The selector alone cannot tell them.
constexpr std::string_view kWeights = "weir.dev/weights";

std::string annotation(const RawObject& service, std::string_view name) {
  const auto found = service.meta.annotations.find(name);
  return found == service.meta.annotations.end() ? "" : found->second;
}

// Who has everything; "" = it is shared out.
std::string sole_bearer(const std::vector<Backend>& backends) {
  const auto found = std::find_if(backends.begin(), backends.end(),
                                  [](const Backend& backend) { return backend.weight == 100; });
  return found == backends.end() ? "" : found->revision;
}

std::string weights_text(const std::vector<Backend>& backends) {
  Json weights = Json::object();
  for (const auto& backend : backends) weights[backend.service] = backend.weight;
  return dump_json(weights);
}

std::vector<Backend> backends_of(const RawObject& service) {
  std::vector<Backend> result;
  const auto release = service.meta.labels.find(marks::kRelease);
  const auto prefix = (release == service.meta.labels.end() ? "" : release->second) + "-";
  const auto weights = parse_json(annotation(service, kWeights));
  if (!weights || !weights->is_object()) return result;
  for (const auto& [name, weight] : weights->items()) {
    const bool ours = name.rfind(prefix, 0) == 0;
    result.push_back({ours ? name.substr(prefix.size()) : name, name,
                      weight.is_number_integer() ? weight.get<int>() : 0});
  }
  return result;
}

// A merge patch takes away only what it names: keys that others have added, and the revision while nobody has everything.
Json selector_for(const std::string& release, const std::vector<Backend>& backends,
                  const Json& actual) {
  Json selector = Json::object();
  if (actual.is_object()) {
    for (const auto& [name, value] : actual.items()) selector[name] = nullptr;
  }
  const auto sole = sole_bearer(backends);
  selector[std::string(marks::kRelease)] = release;
  selector[std::string(marks::kRevision)] = sole.empty() ? Json() : Json(sole);
  return selector;
}

// What the selector makes of the weights that were asked for: somebody may have changed it.
void believe_selector(const Json& selector, RouteState& state) {
  const auto selected = json_text(selector, {marks::kRevision});
  const auto asked = sole_bearer(state.backends);
  const std::size_t keys = selected.empty() ? 1 : 2;
  state.accepted = !state.backends.empty() && selected == asked && selector.size() == keys;
  for (auto& backend : state.backends) {
    if (!selected.empty())
      backend.weight = backend.revision == selected ? 100 : 0;
    else
      backend.weight = std::min(backend.weight, 99);  // nobody has everything
  }
}

class ReplicasRouter final : public TrafficRouter {
 public:
  TrafficType type() const override { return TrafficType::Replicas; }
  Kind kind() const override { return kinds::kService; }
  bool shares_by_pods() const override { return true; }

  int pods_for(int weight, int replicas, int stable) const override {
    return pods_of_share(weight, replicas, stable);
  }

  // There is nobody who reports: kube-proxy follows the Service within a moment.
  RouteState state(const RawObject* route) const override {
    RouteState state;
    if (!route) return state;
    const auto json = parse_json(route->text);
    if (!json) return state;
    state.exists = true;
    state.memo = annotation(*route, marks::kTraffic);
    state.backends = backends_of(*route);
    believe_selector(json_at(*json, {"spec", "selector"}), state);
    if (!state.accepted)
      state.not_accepted = fmt::format(
          "the selector of Service {} is not the one that it was given", route->meta.key.name);
    return state;
  }

  Result<std::optional<Action>> plan(const Release& release, const RouteGoal& goal,
                                     const RawObject* route, bool guarded) const override {
    const bool known = release.spec && goal.callers_service.is_object();
    if (!known && !route)
      return Error{ErrorKind::Invalid, "spec: cannot be read, and there is no Service yet"};
    const auto weights = weights_text(goal.backends);
    const bool elsewhere =
        known && route &&
        json_text(goal.callers_service, {"metadata", "name"}) != route->meta.key.name;
    if (!route || elsewhere) return std::optional<Action>(create(release, goal, weights));
    Json spec = known ? json_at(goal.callers_service, {"spec"}) : Json::object();
    const auto actual = parse_json(route->text);
    spec["selector"] = selector_for(release.meta.key.name, goal.backends,
                                    actual ? json_at(*actual, {"spec", "selector"}) : Json());
    const bool same_memo = annotation(*route, marks::kTraffic) == goal.memo;
    if (actual && json_covers(json_at(*actual, {"spec"}), spec) && same_memo &&
        annotation(*route, kWeights) == weights)
      return std::optional<Action>();
    if (same_memo) reached(SimPoint::RouteCorrected);
    PatchObject patch{kind(), route->meta.key, Json{{"spec", std::move(spec)}}, route->meta.uid};
    patch.body["metadata"] = {{"labels", route->meta.labels},
                              {"annotations", {{marks::kTraffic, goal.memo}, {kWeights, weights}}}};
    if (guarded) patch.resource_version = route->meta.resource_version;
    patch.edited_by = route->edited_by;
    return std::optional<Action>(std::move(patch));
  }

 private:
  CreateObject create(const Release& release, const RouteGoal& goal,
                      const std::string& weights) const {
    Json body = goal.callers_service;
    Json& selector = body["spec"]["selector"];
    selector = Json{{marks::kRelease, release.meta.key.name}};
    if (const auto sole = sole_bearer(goal.backends); !sole.empty())
      selector[std::string(marks::kRevision)] = sole;
    body["metadata"]["annotations"] = {{marks::kTraffic, goal.memo}, {kWeights, weights}};
    const ObjectKey key{release.meta.key.ns, json_text(body, {"metadata", "name"})};
    return CreateObject{kind(), key, std::move(body), release.meta.uid};
  }
};

}  // namespace

const TrafficRouter& replicas_router() {
  static const ReplicasRouter kRouter;
  return kRouter;
}

}  // namespace weir
