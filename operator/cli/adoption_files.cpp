#include "cli/adoption_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "api/codec.h"
#include "kube/kinds.h"

namespace weir {
namespace {

std::string name_of(const Json& object) { return json_text(object, {"metadata", "name"}); }

const Json& items(const Json& list) {
  static const Json kNone = Json::array();
  return list.is_array() ? list : kNone;
}

bool selects_pods_of(const Json& service, const Json& deployment) {
  const Json& selector = json_at(service, {"spec", "selector"});
  const Json& labels = json_at(deployment, {"spec", "template", "metadata", "labels"});
  return selector.is_object() && !selector.empty() && json_covers(labels, selector);
}

class Maker {
 public:
  Maker(const LiveObjects& live, const AdoptionChoice& choice)
      : live_(live), choice_(choice), name_(name_of(live.deployment)) {}

  Result<AdoptionFiles> make() {
    Json spec{{"replicas", json_int(live_.deployment, {"spec", "replicas"}, 1)},
              {"workloadRef", {{"kind", "Deployment"}, {"name", name_}}}};
    ASSIGN_OR_RETURN(spec["service"], service());
    ASSIGN_OR_RETURN(spec["traffic"], traffic(json_text(spec["service"], {"name"})));
    const auto policy = choice_.policy.empty() ? "standard" : choice_.policy;
    spec["strategy"] = {{"type", "Canary"}, {"canary", {{"policyRef", {{"name", policy}}}}}};
    if (const auto read = decode_release_spec(spec, name_); !read) return read.error();
    files_.release = object(kinds::kRelease, name_, std::move(spec));
    if (choice_.policy.empty()) files_.policy = object(kinds::kCanaryPolicy, policy, policy_spec());
    add_notes();
    return std::move(files_);
  }

 private:
  Json object(const Kind& kind, const std::string& name, Json spec) const {
    return Json{
        {"apiVersion", kind.api_version()},
        {"kind", kind.name},
        {"metadata",
         {{"name", name}, {"namespace", json_text(live_.deployment, {"metadata", "namespace"})}}},
        {"spec", std::move(spec)}};
  }

  // ---- spec.service ----

  Result<Json> service() {
    std::vector<const Json*> found;
    std::vector<std::string> names;
    for (const auto& service : live_.services) {
      if (!selects_pods_of(service, live_.deployment)) continue;
      names.push_back(name_of(service));
      found.push_back(&service);
    }
    if (choice_.service.empty() && found.size() > 1)
      return Error{ErrorKind::Invalid,
                   fmt::format("the Services {} select its pods: say which of them callers use, "
                               "with --service",
                               fmt::join(names, ", "))};
    for (const auto* service : found) {
      const bool chosen = choice_.service.empty() || name_of(*service) == choice_.service;
      if (!chosen)
        note(
            fmt::format("Service {} will go on selecting the pods of all revisions, also of one "
                        "that is being released",
                        name_of(*service)));
    }
    for (const auto* service : found)
      if (choice_.service.empty() || name_of(*service) == choice_.service)
        return service_of(*service);
    if (!choice_.service.empty())
      return Error{ErrorKind::Invalid, fmt::format("--service: found \"{}\", must be a Service "
                                                   "that selects the pods of Deployment {}",
                                                   choice_.service, name_)};
    return made_service();
  }

  static Result<Json> service_of(const Json& service) {
    Json ports = Json::array();
    for (const auto& port : items(json_at(service, {"spec", "ports"}))) {
      const auto number = json_int(port, {"port"});
      Json item{{"name", json_text(port, {"name"}, fmt::format("port-{}", number))},
                {"port", number}};
      for (const auto* field : {"targetPort", "protocol", "appProtocol"})
        if (!json_at(port, {field}).is_null()) item[field] = port[field];
      if (item.value("protocol", "") == "TCP") item.erase("protocol");
      ports.push_back(std::move(item));
    }
    return Json{{"name", name_of(service)}, {"ports", std::move(ports)}};
  }

  Result<Json> made_service() {
    Json ports = Json::array();
    const Json& containers = json_at(live_.deployment, {"spec", "template", "spec", "containers"});
    for (const auto& container : items(containers)) {
      for (const auto& port : items(json_at(container, {"ports"}))) {
        const auto number = json_int(port, {"containerPort"});
        ports.push_back({{"name", json_text(port, {"name"}, fmt::format("port-{}", number))},
                         {"port", number}});
      }
    }
    if (ports.empty())
      return Error{ErrorKind::Invalid,
                   fmt::format("no Service selects the pods of Deployment {}, and its containers "
                               "name no ports: it has no callers whose traffic could be shared out",
                               name_)};
    note(fmt::format("no Service selects its pods: Weir makes one named {}", name_));
    return Json{{"name", name_}, {"ports", std::move(ports)}};
  }

  // ---- spec.traffic ----

  Result<Json> traffic(const std::string& service) {
    Json gateway = Json::object();
    if (!choice_.gateway.empty()) {
      const auto slash = choice_.gateway.find('/');
      Json parent{{"name", choice_.gateway.substr(slash == std::string::npos ? 0 : slash + 1)}};
      if (slash != std::string::npos) parent["namespace"] = choice_.gateway.substr(0, slash);
      gateway["parentRefs"] = Json::array({std::move(parent)});
    }
    for (const auto& route : live_.routes) {
      if (!leads_to(route, service)) continue;
      if (!gateway.contains("parentRefs"))
        gateway["parentRefs"] = json_at(route, {"spec", "parentRefs"});
      if (!json_at(route, {"spec", "hostnames"}).is_null() && !gateway.contains("hostnames"))
        gateway["hostnames"] = route["spec"]["hostnames"];
      note(
          fmt::format("HTTPRoute {} leads to Service {}, and goes on serving stable; delete it "
                      "once the Release is Healthy: of two routes the older wins",
                      name_of(route), service));
    }
    if (!gateway.contains("parentRefs"))
      return Error{ErrorKind::Invalid,
                   fmt::format("no HTTPRoute leads to Service {}: name the Gateway whose traffic "
                               "is to be shared out, with --gateway",
                               service)};
    return Json{{"type", "GatewayAPI"}, {"gatewayAPI", std::move(gateway)}};
  }

  static bool leads_to(const Json& route, const std::string& service) {
    for (const auto& rule : items(json_at(route, {"spec", "rules"})))
      for (const auto& backend : items(json_at(rule, {"backendRefs"})))
        if (json_text(backend, {"kind"}, "Service") == "Service" &&
            json_text(backend, {"name"}) == service)
          return true;
    return false;
  }

  // ---- the policy, when none was named ----

  Json policy_spec() const {
    const Json errors{
        {"name", "errors"},
        {"severity", "Critical"},
        {"ratio", {{"preset", {{"name", "Errors"}, {"dialect", "Traefik"}}}, {"atMost", "5%"}}}};
    return Json{
        {"steps",
         Json::array({Json{{"weight", 5}, {"hold", "2m"}}, Json{{"weight", 25}, {"hold", "5m"}},
                      Json{{"weight", 50}, {"hold", "5m"}}, Json{{"weight", 100}}})},
        {"sources", Json::array({Json{{"name", "prometheus"},
                                      {"prometheus", {{"url", choice_.prometheus}}}}})},
        {"objectives", Json::array({errors})}};
  }

  // ---- notes ----

  void note(std::string text) { files_.notes.push_back(std::move(text)); }

  void add_notes() {
    if (choice_.policy.empty())
      note("the CanaryPolicy is a beginning: say where your metrics are, and in whose dialect");
    for (const auto& autoscaler : live_.autoscalers) {
      const Json& target = json_at(autoscaler, {"spec", "scaleTargetRef"});
      if (json_text(target, {"kind"}) != "Deployment" || json_text(target, {"name"}) != name_)
        continue;
      note(
          fmt::format("HorizontalPodAutoscaler {} must scale the Release from then on: "
                      "scaleTargetRef: {{apiVersion: weir.dev/v1alpha1, kind: Release, name: {}}}; "
                      "leave spec.replicas out of Git then",
                      name_of(autoscaler), name_));
    }
    note(
        fmt::format("Deployment {} stays where it is, paused: its template is what is released. "
                    "Deleting the Release gives it back",
                    name_));
  }

  const LiveObjects& live_;
  const AdoptionChoice& choice_;
  const std::string name_;
  AdoptionFiles files_;
};

}  // namespace

Result<AdoptionFiles> adoption_files(const LiveObjects& live, const AdoptionChoice& choice) {
  return Maker(live, choice).make();
}

}  // namespace weir
