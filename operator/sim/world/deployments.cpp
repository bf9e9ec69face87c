#include "sim/world/deployments.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/workload.h"
#include "base/hash.h"
#include "kube/kinds.h"
#include "sim/world/pods.h"

namespace weir::sim {
namespace {

using kinds::kDeployment;
using kinds::kReplicaSet;

std::string uid_of(const Json& object) { return json_text(object, {"metadata", "uid"}); }

std::string controller_of(const Json& object) {
  const Json& owners = json_at(object, {"metadata", "ownerReferences"});
  if (!owners.is_array()) return "";
  for (const auto& owner : owners)
    if (json_at(owner, {"controller"}) == true) return json_text(owner, {"uid"});
  return "";
}

std::int64_t replicas_of(const Json& object) { return json_int(object, {"spec", "replicas"}, 1); }

// As the real one does: equal but for the hash. A label of anybody else's makes another template of it.
bool is_newest(const Json& deployment, const Json& set) {
  Json pod_template = json_at(set, {"spec", "template"});
  if (json_at(pod_template, {"metadata", "labels"}).is_object())
    pod_template["metadata"]["labels"].erase(std::string(marks::kPodTemplateHash));
  return pod_template == json_at(deployment, {"spec", "template"});
}

const Json* newest(const Json& deployment, const std::vector<Json>& sets) {
  const auto found = std::find_if(sets.begin(), sets.end(),
                                  [&](const Json& set) { return is_newest(deployment, set); });
  return found == sets.end() ? nullptr : &*found;
}

Json owner_of(const Json& deployment) {
  return Json{{"apiVersion", "apps/v1"},
              {"kind", "Deployment"},
              {"name", json_text(deployment, {"metadata", "name"})},
              {"uid", uid_of(deployment)},
              {"controller", true},
              {"blockOwnerDeletion", true}};
}

}  // namespace

std::optional<SimTime> Deployments::reconcile() {
  for (const auto& deployment : scene_.server.all(kDeployment)) reconcile_one(*deployment);
  return std::nullopt;
}

void Deployments::reconcile_one(const Json& deployment) {
  const auto sets = claim(deployment);
  if (const Json* last = newest(deployment, sets)) copy_annotations(deployment, *last);
  const bool paused = json_at(deployment, {"spec", "paused"}) == true;
  if (paused)
    scale_at_rest(deployment, sets);
  else if (newest(deployment, sets))
    roll(deployment, sets);
  else
    make_newest(deployment);
  tell(deployment, sets);
}

Deployments::Sets Deployments::claim(const Json& deployment) {
  Sets own;
  const Json& selector = json_at(deployment, {"spec", "selector", "matchLabels"});
  for (const auto& held : scene_.server.all(kReplicaSet)) {
    Json set = *held;
    const auto controller = controller_of(set);
    if (!selects(selector, set) || key_of(set).ns != key_of(deployment).ns || is_deleting(set))
      continue;
    if (controller.empty()) adopt(deployment, set);
    if (controller.empty() || controller == uid_of(deployment)) own.push_back(std::move(set));
  }
  return own;
}

void Deployments::adopt(const Json& deployment, Json& set) {
  scene_.server.edit(kReplicaSet, key_of(set), [&](Json& object) {
    auto& owners = object["metadata"]["ownerReferences"];
    if (!owners.is_array()) owners = Json::array();
    std::erase_if(owners.get_ref<Json::array_t&>(),
                  [&](const Json& owner) { return owner["uid"] == uid_of(deployment); });
    owners.push_back(owner_of(deployment));
    set = object;
  });
}

void Deployments::make_newest(const Json& deployment) {
  const auto key = key_of(deployment);
  Json pod_template = json_at(deployment, {"spec", "template"});
  const std::string label(marks::kPodTemplateHash);
  auto hash = short_hash(dump_json(pod_template), 9);
  // The name is taken by one that is not its own: another one, and with it other pods.
  while (scene_.server.find(kReplicaSet, {key.ns, key.name + "-" + hash})) hash += "x";
  pod_template["metadata"]["labels"][label] = hash;
  Json selector = json_at(deployment, {"spec", "selector"});
  selector["matchLabels"][label] = hash;
  const Json set{{"apiVersion", "apps/v1"},
                 {"kind", "ReplicaSet"},
                 {"metadata",
                  {{"name", key.name + "-" + hash},
                   {"namespace", key.ns},
                   {"labels", pod_template["metadata"]["labels"]},
                   {"ownerReferences", Json::array({owner_of(deployment)})}}},
                 {"spec",
                  {{"replicas", 0},
                   {"selector", std::move(selector)},
                   {"template", std::move(pod_template)}}}};
  (void)scene_.server.create(kReplicaSet, key.ns, set, false, Deadline(SteadyTime::max()));
}

// SetNewReplicaSetAnnotations of k8s.io/kubernetes/pkg/controller/deployment/util: never taken away again.
void Deployments::copy_annotations(const Json& deployment, const Json& set) {
  const Json& wanted = json_at(deployment, {"metadata", "annotations"});
  if (!wanted.is_object() || json_covers(json_at(set, {"metadata", "annotations"}), wanted)) return;
  scene_.server.edit(kReplicaSet, key_of(set),
                     [&](Json& object) { object["metadata"]["annotations"].update(wanted); });
}

// The newest to its full count at once; the others go when it is ready.
void Deployments::roll(const Json& deployment, const Sets& sets) {
  const Json& last = *newest(deployment, sets);
  scale(last, replicas_of(deployment));
  if (json_int(last, {"status", "readyReplicas"}) < replicas_of(deployment)) return;
  for (const auto& set : sets)
    if (key_of(set) != key_of(last)) scale(set, 0);
}

// FindActiveOrLatest of k8s.io/kubernetes/pkg/controller/deployment/util.
void Deployments::scale_at_rest(const Json& deployment, const Sets& sets) {
  const auto active =
      std::count_if(sets.begin(), sets.end(), [](const Json& s) { return replicas_of(s) > 0; });
  if (sets.empty() || active > 1) return;
  const auto created = [](const Json& set) {
    return json_text(set, {"metadata", "creationTimestamp"});
  };
  const Json* chosen = newest(deployment, sets);
  const bool last = chosen != nullptr;
  for (const auto& set : sets) {
    const bool younger = !last && (!chosen || created(set) > created(*chosen));
    if (active == 1 ? replicas_of(set) > 0 : younger) chosen = &set;
  }
  if (chosen) scale(*chosen, replicas_of(deployment));
}

void Deployments::scale(const Json& set, std::int64_t replicas) {
  scene_.server.edit(kReplicaSet, key_of(set),
                     [&](Json& object) { object["spec"]["replicas"] = replicas; });
}

void Deployments::tell(const Json& deployment, const Sets& sets) {
  const auto sum = [&](std::string_view count) {
    std::int64_t all = 0;
    for (const auto& set : sets) all += json_int(set, {"status", count});
    return all;
  };
  const Json* last = newest(deployment, sets);
  scene_.server.set_status(
      kDeployment, key_of(deployment),
      Json{{"observedGeneration", json_int(deployment, {"metadata", "generation"})},
           {"replicas", sum("replicas")},
           {"availableReplicas", sum("availableReplicas")},
           {"updatedReplicas", last ? json_int(*last, {"status", "replicas"}) : 0}});
}

}  // namespace weir::sim
