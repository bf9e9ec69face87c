#include "delivery/adoption.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "api/codec.h"
#include "base/json.h"
#include "base/sim_point.h"
#include "kube/kinds.h"

namespace weir {
namespace {

constexpr milliseconds kFresh{1'000};     // what was seen longer ago is looked up again
constexpr milliseconds kPatience{5'000};  // between two looks while somebody else has to act

Json our_labels(const Release& release, const std::string& revision) {
  return Json{{marks::kRelease, release.meta.key.name}, {marks::kRevision, revision}};
}

ObjectMeta meta_of(const Json& object) {
  auto meta = decode_meta(object);
  return meta ? *std::move(meta) : ObjectMeta{};
}

std::string label(const ObjectMeta& meta, std::string_view name) {
  const auto found = meta.labels.find(name);
  return found == meta.labels.end() ? "" : found->second;
}

// A ReplicaSet of the Deployment, as it was looked up.
struct Candidate {
  ObjectMeta meta{};
  std::string revision{};
  int replicas = 0;
};

class Adopter {
 public:
  Adopter(const ReleaseSnapshot& snapshot, WallTime now)
      : s_(snapshot), release_(*snapshot.release), spec_(snapshot.spec()), now_(now) {}

  Adoption next() {
    if (s_.deployment)
      take(*s_.deployment);
    else
      claim();
    return std::move(result_);
  }

 private:
  // ---- looking ----

  // What was seen, when it was this that was asked for, and not long ago; else it is asked for.
  const Sighting* seen(const Kind& kind, const std::string& name, const std::string& labels) {
    const auto found = s_.seen.find(std::string(kind.plural));
    const bool usable = found != s_.seen.end() &&
                        found->second->of == (name.empty() ? labels : name) &&
                        now_ < found->second->at + kFresh;
    if (usable) return found->second.get();
    result_.actions.emplace_back(LookUp{release_.meta.key, kind, name, labels});
    return nullptr;
  }

  void wait(std::string message) {
    result_.message = std::move(message);
    result_.look_again = now_ + kPatience;
  }

  void block(std::string reason, std::string message) {
    result_.blocked = std::move(reason);
    wait(std::move(message));
  }

  std::string name() const { return "Deployment " + spec_.workload; }

  // ---- before anything is touched ----

  void claim() {
    const auto* deployments = seen(kinds::kDeployment, spec_.workload, "");
    const auto* services = seen(kinds::kService, spec_.service.name, "");
    if (!deployments || !services) return;
    auto deployment = deployments->objects.empty()
                          ? Result<DeploymentView>(s_.pod_template.error())
                          : decode_deployment(deployments->objects.front());
    if (!deployment) return block("NoDeployment", deployment.error().message);
    const auto& meta = deployment->meta;
    // It was ours, and somebody took our label off.
    const bool known = meta.labels.contains(marks::kAdopted);
    if (known && label(meta, marks::kRelease).empty()) return write_claim(*deployment);
    if (known && label(meta, marks::kRelease) == release_.meta.key.name)
      return wait(fmt::format("adopting {}: waiting for it to be watched", name()));
    if (!s_.policy) return block("PolicyNotUsable", s_.policy.error().message);
    if (!is_free(*deployment) || !is_at_rest(*deployment)) return;
    if (!may_take_service(*deployment, *services)) return;
    if (s_.is_paused()) return wait(fmt::format("paused: {} is not adopted yet", name()));
    write_claim(*deployment);
  }

  bool is_free(const DeploymentView& deployment) {
    const auto other = label(deployment.meta, marks::kRelease);
    if (!other.empty() && other != release_.meta.key.name)
      block("Taken", fmt::format("spec.workloadRef.name: {} belongs to Release {}", name(), other));
    else if (!deployment.meta.owner_uid.empty())
      block("Taken", fmt::format("spec.workloadRef.name: {} belongs to {} {}", name(),
                                 deployment.meta.owner_kind, deployment.meta.owner_name));
    else if (deployment.meta.deleting)
      block("Taken", fmt::format("spec.workloadRef.name: {} is being deleted", name()));
    else if (spec_.replicas < deployment.replicas)
      block("TooFewReplicas",
            fmt::format("spec.replicas: found {}, must be at least {}, as many as {} has, until it "
                        "is adopted",
                        spec_.replicas, deployment.replicas, name()));
    return result_.blocked.empty();
  }

  bool is_at_rest(const DeploymentView& deployment) {
    const int wanted = deployment.replicas;
    const bool updated = deployment.updated == wanted || deployment.paused;
    const bool settled = deployment.observed && updated && deployment.current == wanted &&
                         deployment.available == wanted;
    if (!settled) {
      wait(fmt::format("waiting for {} to finish its rollout: {} of {} pods updated, {} available",
                       name(), deployment.updated, wanted, deployment.available));
      return false;
    }
    const auto* sets = seen_sets(deployment);
    if (!sets) return false;
    const auto own = candidates(deployment, *sets);
    const auto live = std::count_if(own.begin(), own.end(),
                                    [](const Candidate& set) { return set.replicas > 0; });
    if (live > 1)
      block("MidRollout",
            fmt::format("spec.workloadRef.name: {} was paused in the middle of a rollout, {} of "
                        "its ReplicaSets have pods: resume it first",
                        name(), live));
    return live <= 1;
  }

  bool may_take_service(const DeploymentView& deployment, const Sighting& services) {
    if (services.objects.empty()) return true;  // it is made
    const Json& service = services.objects.front();
    const auto& found = spec_.service.name;
    const Json& selector = json_at(service, {"spec", "selector"});
    const auto pods = parse_json(deployment.template_text);
    const auto meta = meta_of(service);
    if (meta.owner_uid == release_.meta.uid) return true;
    if (!meta.owner_uid.empty())
      block("ServiceTaken", fmt::format("spec.service.name: Service {} belongs to {} {}", found,
                                        meta.owner_kind, meta.owner_name));
    else if (selector.empty() || !pods || !json_covers((*pods)["metadata"]["labels"], selector))
      block("ServiceOfOthers", fmt::format("spec.service.name: Service {} does not select the pods "
                                           "of {}",
                                           found, name()));
    else
      check_ports(json_at(service, {"spec", "ports"}));
    return result_.blocked.empty();
  }

  // Names do not count: a Service with one port need not name it.
  void check_ports(const Json& ports) {
    for (std::size_t i = 0; i < spec_.service.ports.size(); ++i) {
      const auto& wanted = spec_.service.ports[i];
      const auto is_it = [&](const Json& port) {
        const Json& target = json_at(port, {"targetPort"});
        const auto text = target.is_string() ? target.get<std::string>() : dump_json(target);
        return json_int(port, {"port"}) == wanted.port &&
               json_text(port, {"protocol"}, "TCP") == wanted.protocol &&
               text == wanted.target_port;
      };
      if (ports.is_array() && std::any_of(ports.begin(), ports.end(), is_it)) continue;
      return block(
          "OtherPorts",
          fmt::format("spec.service.ports[{}]: found port {} to {}, must be a port of "
                      "Service {}, which has {}",
                      i, wanted.port, wanted.target_port, spec_.service.name, dump_json(ports)));
    }
  }

  void write_claim(const DeploymentView& deployment) {
    const auto& uid = release_.meta.uid;
    const auto was = label(deployment.meta, marks::kAdopted);
    const std::string how(!was.empty()        ? was
                          : deployment.paused ? marks::kPaused
                                              : marks::kRunning);
    result_.actions.emplace_back(ApplyMarks{kinds::kRelease,
                                            release_.meta.key,
                                            uid,
                                            Json{{marks::kAdopts, spec_.workload}},
                                            {std::string(marks::kGiveBack)}});
    const Json meta{
        {"labels", {{marks::kRelease, release_.meta.key.name}, {marks::kAdopted, how}}}};
    result_.actions.emplace_back(PatchObject{kinds::kDeployment, deployment.meta.key,
                                             Json{{"metadata", meta}, {"spec", {{"paused", true}}}},
                                             deployment.meta.uid,
                                             deployment.meta.resource_version});
    result_.message = fmt::format("adopting {}", name());
    reached(SimPoint::Adopted);
  }

  // ---- taking ----

  void take(const DeploymentView& deployment) {
    if (!deployment.paused || !deployment.observed) {
      result_.message = fmt::format("adopting {}: waiting for its pause to be observed", name());
      return;
    }
    const auto* sets = seen_sets(deployment);
    const auto* pods = seen(kinds::kPod, "", query(deployment));
    const auto* services = seen(kinds::kService, spec_.service.name, "");
    if (!sets || !pods || !services) return;
    take_sets(deployment, *sets);
    if (result_.actions.empty()) label_pods(*pods);
    result_.done = result_.actions.empty();
    result_.message = fmt::format("adopting {}", name());
  }

  std::string query(const DeploymentView& deployment) const {
    const auto selector = parse_json(deployment.selector_text);
    return selector ? selector_query(*selector) : "";
  }

  const Sighting* seen_sets(const DeploymentView& deployment) {
    return seen(kinds::kReplicaSet, "", query(deployment));
  }

  // The live one last: without it the Deployment would scale the newest of those that it still has.
  std::vector<Candidate> candidates(const DeploymentView& deployment, const Sighting& sets) const {
    std::vector<Candidate> own;
    for (const Json& set : sets.objects) {
      Candidate candidate{meta_of(set)};
      if (candidate.meta.owner_uid != deployment.meta.uid || candidate.meta.deleting) continue;
      candidate.replicas = static_cast<int>(json_int(set, {"spec", "replicas"}, 1));
      candidate.revision = revision_of(plain_template(json_at(set, {"spec", "template"})));
      own.push_back(std::move(candidate));
    }
    std::stable_sort(own.begin(), own.end(), [](const Candidate& a, const Candidate& b) {
      return a.replicas < b.replicas;
    });
    return own;
  }

  void take_sets(const DeploymentView& deployment, const Sighting& sets) {
    std::set<std::string> ours;
    for (const auto& [revision, view] : s_.revisions)
      if (view.replica_set) ours.insert(view.replica_set->meta.uid);
    for (const auto& set : candidates(deployment, sets)) {
      if (ours.contains(set.meta.uid)) continue;  // since it was seen
      const Json labels = our_labels(release_, set.revision);
      const Json body{
          {"metadata",
           {{"labels", labels}, {"ownerReferences", shared_owners(release_, deployment)}}},
          {"spec", {{"template", {{"metadata", {{"labels", labels}}}}}}}};
      result_.actions.emplace_back(PatchObject{kinds::kReplicaSet, set.meta.key, body, set.meta.uid,
                                               set.meta.resource_version});
    }
  }

  // A ReplicaSet makes pods from what it has seen of itself: some may still come without our labels.
  void label_pods(const Sighting& pods) {
    for (const auto& [revision, view] : s_.revisions) {
      if (!view.replica_set) continue;
      std::set<std::string> labelled;
      for (const auto& pod : view.pods) labelled.insert(pod->meta.uid);
      for (const Json& pod : pods.objects) {
        const auto meta = meta_of(pod);
        const bool ready = label(meta, marks::kRevision) == revision ||
                           labelled.contains(meta.uid) || meta.deleting;
        if (meta.owner_uid != view.replica_set->meta.uid || ready) continue;
        const Json body{{"metadata", {{"labels", our_labels(release_, revision)}}}};
        result_.actions.emplace_back(PatchObject{kinds::kPod, meta.key, body, meta.uid});
      }
    }
  }

  const ReleaseSnapshot& s_;
  const Release& release_;
  const ReleaseSpec& spec_;
  const WallTime now_;
  Adoption result_;
};

}  // namespace

Adoption adopt(const ReleaseSnapshot& snapshot, WallTime now) {
  return Adopter(snapshot, now).next();
}

std::optional<Action> take_service(const ReleaseSnapshot& snapshot, const Json& wanted) {
  const auto found = snapshot.seen.find(std::string(kinds::kService.plural));
  if (!snapshot.deployment || found == snapshot.seen.end() || found->second->objects.empty())
    return std::nullopt;
  const Json& service = found->second->objects.front();
  const auto meta = meta_of(service);
  if (meta.key.name != snapshot.spec().service.name || !meta.owner_uid.empty()) return std::nullopt;
  const Json& before = json_at(service, {"spec", "selector"});
  Json body{{"metadata",
             {{"labels", wanted["metadata"]["labels"]},
              {"annotations", {{marks::kAdopted, dump_json(before)}}},
              {"ownerReferences", shared_owners(*snapshot.release, *snapshot.deployment)}}},
            {"spec", {{"selector", wanted["spec"]["selector"]}}}};
  for (const auto& [key, value] : before.items())
    if (!wanted["spec"]["selector"].contains(key)) body["spec"]["selector"][key] = nullptr;
  return PatchObject{kinds::kService, meta.key, std::move(body), meta.uid, meta.resource_version};
}

}  // namespace weir
