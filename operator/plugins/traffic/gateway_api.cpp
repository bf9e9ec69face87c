// Weights on an HTTPRoute that the Release owns (https://gateway-api.sigs.k8s.io/guides/traffic-splitting/). Works with every
// implementation that reports Accepted and ResolvedRefs.
#include <fmt/format.h>

#include <algorithm>

#include "api/codec.h"
#include "base/json.h"
#include "base/sim_point.h"
#include "kube/kinds.h"
#include "plugins/factories.h"

namespace weir {
namespace {

bool condition_true(const Json& parent, std::string_view type, std::int64_t generation,
                    RouteState& state) {
  state.pending = false;
  const Json& conditions = json_at(parent, {"conditions"});
  if (conditions.is_array()) {
    for (const auto& condition : conditions) {
      if (json_text(condition, {"type"}) != type) continue;
      if (json_int(condition, {"observedGeneration"}) < generation) break;
      if (json_text(condition, {"status"}) == "True") return true;
      state.not_accepted =
          fmt::format("{} is {}: {}", type, json_text(condition, {"status"}),
                      json_text(condition, {"message"}, json_text(condition, {"reason"})));
      return false;
    }
  }
  state.pending = true;
  state.not_accepted = fmt::format("no {} yet for this change", type);
  return false;
}

// Each parent that the route names must have been taken up by a controller, in the route's present generation.
bool accepted_by_all(const Json& route, std::int64_t generation, RouteState& state) {
  const Json& wanted = json_at(route, {"spec", "parentRefs"});
  const Json& parents = json_at(route, {"status", "parents"});
  if (!parents.is_array() || parents.size() < wanted.size()) {
    state.not_accepted = "no gateway has taken the route up; does every parentRef name one?";
    return false;
  }
  return std::all_of(parents.begin(), parents.end(), [&](const Json& parent) {
    return condition_true(parent, "Accepted", generation, state) &&
           condition_true(parent, "ResolvedRefs", generation, state);
  });
}

// All our rules carry the same backends: the first one speaks for all.
std::vector<Backend> backends_of(const Json& route, const std::string& release) {
  std::vector<Backend> result;
  const Json& rules = json_at(route, {"spec", "rules"});
  if (!rules.is_array() || rules.empty()) return result;
  const Json& refs = json_at(rules.front(), {"backendRefs"});
  if (!refs.is_array()) return result;
  for (const auto& ref : refs) {
    const auto service = json_text(ref, {"name"});
    const bool ours = service.rfind(release + "-", 0) == 0;
    result.push_back({ours ? service.substr(release.size() + 1) : service, service,
                      static_cast<int>(json_int(ref, {"weight"}, 1))});
  }
  return result;
}

std::string memo_of(const RawObject& route) {
  const auto memo = route.meta.annotations.find(marks::kTraffic);
  return memo == route.meta.annotations.end() ? "" : memo->second;
}

Result<Json> route_spec(const ReleaseSpec& spec, const std::vector<Backend>& backends) {
  const auto& gateway = spec.traffic.gateway_api;
  ASSIGN_OR_RETURN(Json parents, parse_json(gateway.parent_refs_text));
  ASSIGN_OR_RETURN(Json rules, parse_json(gateway.rules_text));
  if (rules.empty()) rules.push_back(Json::object());
  Json refs = Json::array();
  for (const auto& backend : backends)
    refs.push_back({{"name", backend.service},
                    {"port", spec.service.ports.front().port},
                    {"weight", backend.weight}});
  for (auto& rule : rules) rule["backendRefs"] = refs;
  Json result{{"parentRefs", std::move(parents)}, {"rules", std::move(rules)}};
  result["hostnames"] = gateway.hostnames.empty() ? Json() : Json(gateway.hostnames);
  return result;
}

// What the route says, with other weights: all that can be written while nobody knows what the spec wants.
Result<Json> reweighted_spec(const RawObject* route, const std::vector<Backend>& backends) {
  if (!route) return Error{ErrorKind::Invalid, "spec: cannot be read, and there is no route yet"};
  ASSIGN_OR_RETURN(const Json actual, parse_json(route->text));
  Json spec = json_at(actual, {"spec"});
  if (!json_at(spec, {"rules"}).is_array()) return spec;
  for (auto& rule : spec["rules"]) {
    if (!json_at(rule, {"backendRefs"}).is_array()) continue;
    for (auto& ref : rule["backendRefs"]) {
      const auto name = json_text(ref, {"name"});
      const auto wanted = std::find_if(backends.begin(), backends.end(),
                                       [&](const Backend& b) { return b.service == name; });
      ref["weight"] = wanted == backends.end() ? 0 : wanted->weight;
    }
  }
  return spec;
}

class GatewayApiRouter final : public TrafficRouter {
 public:
  TrafficType type() const override { return TrafficType::GatewayApi; }
  Kind kind() const override { return kinds::kHttpRoute; }

  RouteState state(const RawObject* route) const override {
    RouteState state;
    if (!route) return state;
    const auto json = parse_json(route->text);
    if (!json) return state;
    state.exists = true;
    state.accepted = accepted_by_all(*json, route->meta.generation, state);
    state.backends = backends_of(*json, route->meta.key.name);
    state.memo = memo_of(*route);
    return state;
  }

  Result<std::optional<Action>> plan(const Release& release, const RouteGoal& goal,
                                     const RawObject* route, bool guarded) const override {
    const bool known = release.spec && release.spec->traffic.type == type();
    ASSIGN_OR_RETURN(Json spec, known ? route_spec(*release.spec, goal.backends)
                                      : reweighted_spec(route, goal.backends));
    if (!route) return std::optional<Action>(create(release, std::move(spec), goal.memo));
    const auto actual = parse_json(route->text);
    if (actual && json_covers(json_at(*actual, {"spec"}), spec) && memo_of(*route) == goal.memo)
      return std::optional<Action>();
    if (memo_of(*route) == goal.memo) reached(SimPoint::RouteCorrected);
    PatchObject patch{kind(), route->meta.key, Json{{"spec", std::move(spec)}}, route->meta.uid};
    patch.body["metadata"]["labels"] = route->meta.labels;
    patch.body["metadata"]["annotations"][std::string(marks::kTraffic)] = goal.memo;
    if (guarded) patch.resource_version = route->meta.resource_version;
    patch.edited_by = route->edited_by;
    return std::optional<Action>(std::move(patch));
  }

 private:
  CreateObject create(const Release& release, Json spec, const std::string& memo) const {
    if (spec["hostnames"].is_null()) spec.erase("hostnames");
    Json body{{"apiVersion", kind().api_version()},
              {"kind", kind().name},
              {"metadata",
               {{"name", release.meta.key.name},
                {"namespace", release.meta.key.ns},
                {"labels", {{marks::kRelease, release.meta.key.name}}},
                {"annotations", {{marks::kTraffic, memo}}},
                {"ownerReferences", Json::array({owner_reference(release)})}}},
              {"spec", std::move(spec)}};
    return CreateObject{kind(), release.meta.key, std::move(body), release.meta.uid};
  }
};

}  // namespace

const TrafficRouter& gateway_api_router() {
  static const GatewayApiRouter kRouter;
  return kRouter;
}

}  // namespace weir
