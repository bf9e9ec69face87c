// No child without owner; nothing of anybody else's is changed or deleted; of the user's objects only the status.
#include <fmt/format.h>

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
    if (!write.by_operator() || write.to(kinds::kEvent)) return;
    if (write.to(kinds::kRelease) || write.to(kinds::kCanaryPolicy))
      return check_status_only(write);
    const auto name = write.ref.plural + " " + write.ref.key.name;
    if (write.before.is_null()) {
      if (!is_release(controller_uid(write.after)))
        court_.fail("no child without owner", name + " has none");
    } else if (!is_release(controller_uid(write.before))) {
      court_.fail("a foreign object is refused, not taken", name + " is not ours");
    }
  }

 private:
  bool is_release(const std::string& uid) const {
    for (const auto* release : court_.world.scene().server.all(kinds::kRelease)) {
      if (!uid.empty() && json_text(*release, {"metadata", "uid"}) == uid) return true;
    }
    return false;
  }

  void check_status_only(const Write& write) const {
    if (write.before.is_null() || write.after.is_null() ||
        json_at(write.before, {"spec"}) != json_at(write.after, {"spec"}))
      court_.fail("of the user's objects only the status is written",
                  write.ref.plural + " " + write.ref.key.name);
  }
};

}  // namespace

std::unique_ptr<Check> check_ownership(const Court& court) {
  return std::make_unique<OwnershipCheck>(court);
}

}  // namespace weir::sim
