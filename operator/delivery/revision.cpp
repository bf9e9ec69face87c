#include "delivery/revision.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/codec.h"
#include "base/hash.h"
#include "base/json.h"
#include "delivery/config.h"
#include "kube/kinds.h"

namespace weir {
namespace {

Json own_labels(const Release& release, const std::string& revision) {
  Json labels;
  labels[std::string(marks::kRelease)] = release.meta.key.name;
  if (!revision.empty()) labels[std::string(marks::kRevision)] = revision;
  return labels;
}

Json metadata(const Release& release, const std::string& name, Json labels) {
  Json meta;
  meta["name"] = name;
  meta["namespace"] = release.meta.key.ns;
  meta["labels"] = std::move(labels);
  meta["ownerReferences"].push_back(owner_reference(release));
  return meta;
}

// Endpoints leave the routers' view a moment after the pod is told to stop; serving on for these seconds loses no request.
void add_pre_stop(Json& pod_template) {
  for (auto& container : pod_template["spec"]["containers"]) {
    const bool serves = json_at(container, {"ports"}).is_array() && !container["ports"].empty();
    if (serves && json_at(container, {"lifecycle", "preStop"}).is_null())
      container["lifecycle"]["preStop"] = {{"sleep", {{"seconds", 5}}}};
  }
}

Json service_ports(const ReleaseSpec& spec) {
  Json ports = Json::array();
  for (const auto& port : spec.service.ports) {
    Json item;
    item["name"] = port.name;
    item["port"] = port.port;
    item["protocol"] = port.protocol;
    const bool numeric = !port.target_port.empty() &&
                         std::all_of(port.target_port.begin(), port.target_port.end(),
                                     [](unsigned char c) { return std::isdigit(c) != 0; });
    if (numeric)
      item["targetPort"] = std::stoi(port.target_port);
    else
      item["targetPort"] = port.target_port;
    if (!port.app_protocol.empty()) item["appProtocol"] = port.app_protocol;
    ports.push_back(std::move(item));
  }
  return ports;
}

Json service_body(const Release& release, const ReleaseSpec& spec, Json meta,
                  const std::string& selected) {
  Json body;
  body["apiVersion"] = "v1";
  body["kind"] = "Service";
  body["metadata"] = std::move(meta);
  body["spec"]["selector"] = own_labels(release, selected);
  body["spec"]["ports"] = service_ports(spec);
  return body;
}

// So that the Deployment can have it back: it finds its ReplicaSets by their labels, and their pods by a selector that begins with
// its own.
void fit_to(const DeploymentView& deployment, const Release& release, const std::string& revision,
            Json& body) {
  const std::string hash(marks::kPodTemplateHash);
  const auto given = parse_json(deployment.selector_text);
  Json selector = given ? *given : Json::object();
  selector["matchLabels"][hash] = revision;
  auto& labels = body["spec"]["template"]["metadata"]["labels"];
  labels[hash] = revision;
  body["metadata"]["labels"].update(labels);
  body["metadata"]["ownerReferences"] = shared_owners(release, deployment);
  body["spec"]["selector"] = std::move(selector);
}

}  // namespace

Result<Json> resolved_template(const ReleaseSpec& spec) {
  ASSIGN_OR_RETURN(Json pod_template, parse_json(spec.template_text));
  for (std::size_t i = 0; i < spec.images.size(); ++i) {
    const auto& image = spec.images[i];
    bool found = false;
    for (const char* list : {"containers", "initContainers"}) {
      if (!json_at(pod_template, {"spec", list}).is_array()) continue;
      for (auto& container : pod_template["spec"][list]) {
        if (json_text(container, {"name"}) != image.container) continue;
        container["image"] = image.image;
        found = true;
      }
    }
    if (!found) {
      return Error{ErrorKind::Invalid,
                   fmt::format("spec.images[{}].container: found \"{}\", must be the name of a "
                               "container in spec.template",
                               i, image.container)};
    }
  }
  if (auto used = check_config_is_used(spec.config, pod_template); !used) return used.error();
  return pod_template;
}

std::string revision_of(const Json& resolved_template) {
  return short_hash(dump_json(resolved_template), kRevisionLength);
}

std::string child_name(const Release& release, const std::string& revision) {
  return release.meta.key.name + "-" + revision;
}

std::string pin_text(const CanaryPolicy& policy) {
  return fmt::format(R"({{"name":{},"generation":{},"spec":{}}})",
                     dump_json(Json(policy.meta.key.name)), policy.meta.generation,
                     policy.spec_text);
}

Result<PinnedPolicy> decode_pin(const std::string& text) {
  ASSIGN_OR_RETURN(const Json json, parse_json(text));
  PinnedPolicy pinned;
  pinned.name = json_text(json, {"name"});
  pinned.generation = json_int(json, {"generation"});
  ASSIGN_OR_RETURN(pinned.spec, decode_policy_spec(json_at(json, {"spec"})));
  pinned.text = text;
  return pinned;
}

Json deployment_owner(const DeploymentView& deployment, bool controller) {
  return Json{{"apiVersion", kinds::kDeployment.api_version()},
              {"kind", kinds::kDeployment.name},
              {"name", deployment.meta.key.name},
              {"uid", deployment.meta.uid},
              {"controller", controller},
              {"blockOwnerDeletion", controller}};
}

Json shared_owners(const Release& release, const DeploymentView& deployment) {
  return Json::array({owner_reference(release), deployment_owner(deployment, false)});
}

Json replica_set_body(const Release& release, const ReleaseSpec& spec,
                      const RevisionSpec& revision) {
  Json pod_template = revision.resolved_template;
  const Json labels = own_labels(release, revision.revision);
  if (!json_at(pod_template, {"metadata"}).is_object()) pod_template["metadata"] = Json::object();
  if (!json_at(pod_template, {"metadata", "labels"}).is_object())
    pod_template["metadata"]["labels"] = Json::object();
  pod_template["metadata"]["labels"].update(labels);
  if (spec.lifecycle == Lifecycle::PreStopSleep) add_pre_stop(pod_template);
  Json meta = metadata(release, child_name(release, revision.revision), labels);
  meta["annotations"] = {{marks::kPolicy, revision.policy.text}};
  if (!revision.config_mark.empty())
    meta["annotations"][std::string(marks::kConfig)] = revision.config_mark;
  Json body{{"apiVersion", "apps/v1"},
            {"kind", "ReplicaSet"},
            {"metadata", std::move(meta)},
            {"spec",
             {{"replicas", revision.replicas},
              {"minReadySeconds", revision.policy.spec.min_ready_seconds},
              {"selector", {{"matchLabels", labels}}},
              {"template", std::move(pod_template)}}}};
  if (revision.adopted) fit_to(*revision.adopted, release, revision.revision, body);
  return body;
}

Json revision_service_body(const Release& release, const ReleaseSpec& spec,
                           const std::string& revision) {
  Json labels = own_labels(release, revision);
  labels[std::string(marks::kRole)] = "revision";
  return service_body(
      release, spec, metadata(release, child_name(release, revision), std::move(labels)), revision);
}

Json callers_service_body(const Release& release, const ReleaseSpec& spec,
                          const std::string& stable) {
  Json labels = own_labels(release, "");
  labels[std::string(marks::kRole)] = "callers";
  return service_body(release, spec, metadata(release, spec.service.name, std::move(labels)),
                      stable);
}

}  // namespace weir
