#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/codec.h"
#include "api/owner_reference.h"
#include "api/spec_readers.h"
#include "kube/kinds.h"

namespace weir {
namespace {

constexpr Choice<Lifecycle> kLifecycles[] = {{"PreStopSleep", Lifecycle::PreStopSleep},
                                             {"AsGiven", Lifecycle::AsGiven}};
constexpr Choice<TrafficType> kTrafficTypes[] = {{"GatewayAPI", TrafficType::GatewayApi},
                                                 {"Replicas", TrafficType::Replicas}};
constexpr Choice<int> kWorkloadKinds[] = {{"Deployment", 0}};
constexpr Choice<int> kStrategyTypes[] = {{"Canary", 0}};
constexpr Choice<std::string_view> kProtocols[] = {
    {"TCP", "TCP"}, {"UDP", "UDP"}, {"SCTP", "SCTP"}};

constexpr Range kContainerCount{1, 32};
constexpr Range kInitContainerCount{0, 32};
constexpr Range kImageCount{0, 64};
constexpr Range kConfigCount{0, 16};
constexpr Range kPortCount{1, 20};
constexpr Range kParentCount{1, 8};
constexpr Range kHostnameCount{0, 16};
constexpr Range kRuleCount{0, 16};
constexpr Range kPortNumber{1, 65535};

// Names of the containers that an image override may name.
std::vector<std::string> read_template(const FieldReader& pod_template) {
  if (pod_template.has("metadata")) pod_template.object("metadata").allow_more();
  const auto pod = pod_template.object("spec").allow_more();
  std::vector<std::string> names;
  const auto read_names = [&](std::string_view field, Range count) {
    const auto containers = pod.list(field, count);
    for (const auto& container : containers)
      names.push_back(container.allow_more().text("name", text_rules::kLabel));
    pod.refuse_twins(containers, "name");
  };
  read_names("containers", kContainerCount);
  read_names("initContainers", kInitContainerCount);
  return names;
}

// The name of the Deployment; "" = there is a template.
std::string read_workload(const FieldReader& spec) {
  const auto ref = spec.object_or_empty("workloadRef");
  const bool given = ref.has("kind") || ref.has("name") || spec.has("workloadRef");
  if (!given && !spec.has("template"))
    spec.refuse("template", "given, or workloadRef in its place");
  if (!given) return "";
  if (spec.has("template")) spec.refuse("workloadRef", "left out when template is given");
  if (!spec.list("images", kImageCount).empty())
    spec.refuse("images", "left out with workloadRef: the Deployment has the images");
  ref.choice("kind", kWorkloadKinds);
  return ref.text("name", text_rules::kSubdomain);
}

std::vector<ImageOverride> read_images(const FieldReader& spec,
                                       const std::vector<std::string>& containers) {
  std::vector<ImageOverride> images;
  const auto items = spec.list("images", kImageCount);
  for (const auto& item : items) {
    ImageOverride image{item.text("container", text_rules::kLabel),
                        item.text("image", text_rules::kImage)};
    if (std::find(containers.begin(), containers.end(), image.container) == containers.end())
      item.refuse("container", "the name of a container of spec.template");
    images.push_back(std::move(image));
  }
  spec.refuse_twins(items, "container");
  return images;
}

std::vector<std::string> read_refs(const FieldReader& config, std::string_view field) {
  std::vector<std::string> names;
  const auto items = config.list(field, kConfigCount);
  names.reserve(items.size());
  for (const auto& item : items) names.push_back(item.text("name", text_rules::kSubdomain));
  config.refuse_twins(items, "name");
  return names;
}

std::string read_target_port(const FieldReader& item, int port) {
  const Json& target = item.raw("targetPort");
  if (target.is_null()) return std::to_string(port);
  if (target.is_number()) return std::to_string(item.integer("targetPort", kPortNumber));
  return item.text("targetPort", text_rules::kPortName);
}

ServicePort read_port(const FieldReader& item) {
  ServicePort port;
  port.name = item.text("name", text_rules::kLabel);
  port.port = item.integer("port", kPortNumber);
  port.target_port = read_target_port(item, port.port);
  port.protocol = item.choice("protocol", kProtocols, {std::string_view("TCP")});
  port.app_protocol = item.text_or("appProtocol", text_rules::kAppProtocol, "");
  return port;
}

ReleaseService read_service(const FieldReader& service, const std::string& release) {
  ReleaseService result;
  result.name = service.text_or("name", text_rules::kServiceName, release);
  const auto items = service.list("ports", kPortCount);
  for (const auto& item : items) {
    auto port = read_port(item);
    const bool taken =
        std::any_of(result.ports.begin(), result.ports.end(), [&](const ServicePort& other) {
          return other.port == port.port && other.protocol == port.protocol;
        });
    if (taken) item.refuse("port", "used once per protocol");
    result.ports.push_back(std::move(port));
  }
  service.refuse_twins(items, "name");
  return result;
}

std::string list_text(const Json& list) { return list.is_null() ? "[]" : dump_json(list); }

GatewayApiTraffic read_gateway_api(const FieldReader& gateway) {
  GatewayApiTraffic traffic;
  for (const auto& parent : gateway.list("parentRefs", kParentCount)) {
    parent.text_or("group", text_rules::kGroup, "");
    parent.text_or("kind", text_rules::kKind, "");
    parent.text_or("namespace", text_rules::kLabel, "");
    parent.text("name", text_rules::kSubdomain);
    parent.text_or("sectionName", text_rules::kSubdomain, "");
    parent.integer_or("port", kPortNumber, 0);
  }
  traffic.parent_refs_text = list_text(gateway.raw("parentRefs"));
  traffic.hostnames = gateway.texts("hostnames", kHostnameCount, text_rules::kHostname);
  for (const auto& rule : gateway.list("rules", kRuleCount))
    if (rule.allow_more().has("backendRefs"))
      rule.refuse("backendRefs", "left out: Weir writes the backends of its route itself");
  traffic.rules_text = list_text(gateway.raw("rules"));
  return traffic;
}

ReleaseTraffic read_traffic(const FieldReader& traffic) {
  ReleaseTraffic result;
  result.type = traffic.choice("type", kTrafficTypes);
  if (result.type == TrafficType::GatewayApi)
    result.gateway_api = read_gateway_api(traffic.object("gatewayAPI"));
  else if (traffic.has("gatewayAPI"))
    traffic.refuse("gatewayAPI", "left out unless type is GatewayAPI");
  return result;
}

std::string read_strategy(const FieldReader& strategy) {
  strategy.choice("type", kStrategyTypes);
  return strategy.object("canary").object("policyRef").text("name", text_rules::kSubdomain);
}

KeepWarm read_keep_warm(const FieldReader& keep_warm) {
  KeepWarm result;
  result.duration = keep_warm.duration_or("for", seconds(0));
  result.replicas_percent = keep_warm.whole_percent_or("replicas", 100);
  return result;
}

}  // namespace

ReleaseSpec read_release_spec(const FieldReader& spec, const std::string& name) {
  ReleaseSpec release;
  release.replicas = spec.integer_or("replicas", {0, 10'000}, 1);
  release.revision_history_limit = spec.integer_or("revisionHistoryLimit", {0, 50}, 10);
  release.workload = read_workload(spec);
  if (spec.has("template")) {
    const auto containers = read_template(spec.object("template"));
    release.template_text = dump_json(spec.raw("template"));
    release.images = read_images(spec, containers);
  }
  const auto config = spec.object_or_empty("config");
  release.config = {read_refs(config, "configMapRefs"), read_refs(config, "secretRefs")};
  release.lifecycle = spec.choice("lifecycle", kLifecycles, {Lifecycle::PreStopSleep});
  release.service = read_service(spec.object("service"), name);
  release.traffic = read_traffic(spec.object("traffic"));
  release.policy = read_strategy(spec.object("strategy"));
  release.keep_warm = read_keep_warm(spec.object_or_empty("keepWarm"));
  release.paused = spec.flag_or("paused", false);
  return release;
}

Result<ReleaseSpec> decode_release_spec(const Json& spec, const std::string& name) {
  const auto& rule = text_rules::kReleaseName;
  if (name.size() > rule.max || !rule.matches(name))
    return Error{ErrorKind::Invalid, fmt::format("metadata.name: found \"{}\", must be {}",
                                                 clip(name, 80), rule.allowed)};
  Reading reading;
  auto release = read_release_spec(FieldReader(spec, "spec", reading), name);
  if (auto error = reading.error()) return *std::move(error);
  return release;
}

Result<Release> decode_release(const Json& object) {
  Release release;
  ASSIGN_OR_RETURN(release.meta, decode_meta(object));
  release.spec = decode_release_spec(json_at(object, {"spec"}), release.meta.key.name);
  release.status = decode_release_status(json_at(object, {"status"}));
  return release;
}

Json owner_reference(const Release& release) {
  return owner_reference(kinds::kRelease, release.meta.key.name, release.meta.uid);
}

}  // namespace weir
