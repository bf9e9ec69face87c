// What is adopted, and what is given back, keeps its pods; nothing of it is left behind.
#include <fmt/format.h>

#include <set>

#include "api/workload.h"
#include "kube/kinds.h"
#include "sim/checks/witness.h"
#include "sim/world/pods.h"

namespace weir::sim {
namespace {

class AdoptionCheck final : public Check {
 public:
  using Check::Check;

  void on_write(const Write& write) override {
    if (write.to(kinds::kReplicaSet)) see_taken(write);
    if (write.to(kinds::kRelease)) see_deleted(write);
    if (write.to(kinds::kPod) && !write.before.is_null()) check_pod(write);
  }

  void at_end() override {
    const auto& server = court_.world.scene().server;
    for (const auto& deployment : server.all(kinds::kDeployment)) {
      if (server.find(kinds::kRelease, key_of(*deployment))) continue;
      check_rid_of_us(*deployment);
      for (const auto& set : server.all(kinds::kReplicaSet)) check_rid_of_us(*set);
      for (const auto& service : server.all(kinds::kService)) check_rid_of_us(*service);
    }
  }

 private:
  static std::string revision_of(const Json& object) {
    return json_text(object, {"metadata", "labels", marks::kRevision});
  }

  // From now on its pods stay for as long as nobody else is stable.
  void see_taken(const Write& write) {
    const Json& labels = json_at(write.after, {"metadata", "labels"});
    const bool taken = !write.before.is_null() && write.by_operator() &&
                       revision_of(write.before).empty() && !revision_of(write.after).empty();
    if (taken)
      taken_[json_text(write.after, {"metadata", "uid"})] = {
          {write.ref.key.ns, json_text(labels, {marks::kRelease})}, revision_of(write.after)};
  }

  // Who serves at that moment goes on serving when the Release is gone.
  void see_deleted(const Write& write) {
    if (!is_deleting(write.after) || is_deleting(write.before)) return;
    if (json_text(write.after, {"metadata", "annotations", marks::kAdopts}).empty()) return;
    const auto stable = court_.witness.memo(write.ref.key).stable;
    for (const auto& set : court_.world.scene().server.all(kinds::kReplicaSet))
      if (!stable.empty() && revision_of(*set) == stable)
        given_back_.insert(json_text(*set, {"metadata", "uid"}));
  }

  void check_pod(const Write& write) const {
    const bool ends = write.after.is_null() || is_deleting(write.after);
    if (!ends || is_deleting(write.before)) return;
    const Json& owners = json_at(write.before, {"metadata", "ownerReferences"});
    const auto owner = owners.is_array() ? json_text(owners.front(), {"uid"}) : "";
    const auto& pod = write.ref.key.name;
    if (given_back_.contains(owner))
      return court_.fail("giving back stops no pod that serves", pod + " was stopped");
    const auto taken = taken_.find(owner);
    if (taken == taken_.end()) return;
    const auto stable = court_.witness.memo(taken->second.release).stable;
    if (stable.empty() || stable == taken->second.revision)
      court_.fail("adoption stops no pod", pod + " was stopped");
  }

  void check_rid_of_us(const Json& object) const {
    const auto& name = json_text(object, {"metadata", "name"});
    const Json& meta = json_at(object, {"metadata"});
    for (const auto* map : {"labels", "annotations"}) {
      const Json& marked = json_at(meta, {map});
      if (!marked.is_object()) continue;
      for (const auto& [key, value] : marked.items())
        if (key.starts_with(marks::kPrefix))
          court_.fail("what is given back is rid of us", fmt::format("{} still has {}", name, key));
    }
    for (const auto& owner : json_at(meta, {"ownerReferences"}))
      if (json_text(owner, {"kind"}) == kinds::kRelease.name)
        court_.fail("what is given back is rid of us", name + " still has a Release as owner");
  }

  struct Taken {
    ObjectKey release;
    std::string revision;
  };
  std::map<std::string, Taken> taken_;  // ReplicaSets by uid
  std::set<std::string> given_back_;    // ReplicaSets by uid
};

}  // namespace

std::unique_ptr<Check> check_adoption(const Court& court) {
  return std::make_unique<AdoptionCheck>(court);
}

}  // namespace weir::sim
