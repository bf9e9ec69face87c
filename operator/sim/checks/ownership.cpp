// No child without owner; nothing of anybody else's is changed or deleted; of the user's objects only the status.
#include <fmt/format.h>

#include "api/pipeline_run.h"
#include "api/workload.h"
#include "delivery/config.h"
#include "kube/kinds.h"
#include "sim/checks/witness.h"

namespace weir::sim {
namespace {

std::string controller_uid(const Json& object) {
  const Json& owners = json_at(object, {"metadata", "ownerReferences"});
  if (!owners.is_array()) return "";
  for (const auto& owner : owners) {
    if (json_at(owner, {"controller"}) == true) return json_text(owner, {"uid"});
  }
  return "";
}

class OwnershipCheck final : public Check {
 public:
  using Check::Check;

  void on_write(const Write& write) override {
    if (write.to(kinds::kRelease)) see(write, releases_);
    if (write.to(kinds::kPipelineRun)) see(write, runs_);
    if (write.to(kinds::kReplicaSet)) see(write, replica_sets_);
    if (!write.by_operator() || write.to(kinds::kEvent)) return;
    if (write.to(kinds::kPipelineRun) || write.to(kinds::kPipeline) || write.to(kinds::kRelease) ||
        write.to(kinds::kCanaryPolicy))
      return check_status_only(write);
    const auto name = write.ref.plural + " " + write.ref.key.name;
    const auto& owners = owners_of(write);
    if (write.before.is_null()) {
      if (!is_one_of(owners, controller_uid(write.after)))
        court_.fail("no child without owner", name + " has none");
    } else if (!is_one_of(owners, controller_uid(write.before)) && !may_adopt(write)) {
      court_.fail("a foreign object is refused, not taken", name + " is not ours");
    }
  }

 private:
  using AliveUntil = std::map<std::string, SimTime>;  // by uid

  const AliveUntil& owners_of(const Write& write) const {
    if (write.to(kinds::kJob) || write.to(kinds::kControllerRevision)) return runs_;
    // Copies of config go with the revision that they were made for.
    return write.to(kinds::kConfigMap) ? replica_sets_ : releases_;
  }

  void see(const Write& write, AliveUntil& owners) const {
    const bool gone = write.after.is_null();
    const auto uid = json_text(gone ? write.before : write.after, {"metadata", "uid"});
    owners[uid] = gone ? court_.now() : SimTime::max();
  }

  // One that is gone may still stand in a cache.
  bool is_one_of(const AliveUntil& owners, const std::string& uid) const {
    const auto found = owners.find(uid);
    return found != owners.end() &&
           (found->second == SimTime::max() || court_.now() <= found->second + court_.staleness());
  }

  // The Deployment that a Release names, what is that Deployment's, and the Service of that name: to take and to give back. Nothing
  // of it is deleted.
  bool may_adopt(const Write& write) const {
    if (write.after.is_null()) return false;
    const Json* deployment = deployment_of(write);
    if (!deployment) return false;
    const auto uid = json_text(*deployment, {"metadata", "uid"});
    if (write.to(kinds::kDeployment)) return json_text(write.before, {"metadata", "uid"}) == uid;
    if (write.to(kinds::kReplicaSet))
      return controller_uid(write.before).empty() || controller_uid(write.before) == uid;
    if (write.to(kinds::kService)) return controller_uid(write.before).empty();
    return write.to(kinds::kPod) &&
           json_at(write.before, {"spec"}) == json_at(write.after, {"spec"});
  }

  // In these stories it has the name of its Release.
  const Json* deployment_of(const Write& write) const {
    const auto& server = court_.world.scene().server;
    const auto named = [&](const Json& object) {
      return json_text(object, {"metadata", "labels", marks::kRelease});
    };
    auto name = named(write.after).empty() ? named(write.before) : named(write.after);
    if (write.to(kinds::kDeployment)) name = write.ref.key.name;
    return server.find(kinds::kDeployment, {write.ref.key.ns, name});
  }

  void check_status_only(const Write& write) const {
    if (write.before.is_null() || write.after.is_null() ||
        json_at(write.before, {"spec"}) != json_at(write.after, {"spec"}))
      court_.fail("of the user's objects only the status is written",
                  write.ref.plural + " " + write.ref.key.name);
  }

  AliveUntil releases_;
  AliveUntil replica_sets_;
  AliveUntil runs_;
};

}  // namespace

std::unique_ptr<Check> check_ownership(const Court& court) {
  return std::make_unique<OwnershipCheck>(court);
}

}  // namespace weir::sim
