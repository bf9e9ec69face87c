// Pods go no earlier than `drain` after their weight 0 was served.
#include <fmt/format.h>

#include "api/meta.h"
#include "kube/kinds.h"
#include "sim/checks/witness.h"

namespace weir::sim {
namespace {

class DrainCheck final : public Check {
 public:
  using Check::Check;

  void on_write(const Write& write) override {
    if (!write.by_operator() || !write.to(kinds::kReplicaSet) || write.before.is_null()) return;
    const auto from = json_int(write.before, {"spec", "replicas"}, 1);
    const auto to = write.after.is_null() ? 0 : json_int(write.after, {"spec", "replicas"}, 1);
    if (to >= from) return;
    const Json& labels = json_at(write.before, {"metadata", "labels"});
    const ObjectKey release{write.ref.key.ns, json_text(labels, {marks::kRelease})};
    const Memo memo = court_.witness.memo(release);
    if (json_text(labels, {marks::kRevision}) == memo.stable && to > 0) return;
    if (shrinks_to_share(release, json_text(labels, {marks::kRevision}), memo, to)) return;
    // A hand that scaled up a moment ago is not seen yet: the writer meant to raise it too.
    if (to >= court_.witness.fewest_pods(write.ref.key, court_.now() - court_.staleness())) return;
    check_drained(release, write.ref.key);
  }

 private:
  // Pods that are the share, and were too many for it.
  bool shrinks_to_share(const ObjectKey& release, const std::string& revision, const Memo& memo,
                        std::int64_t to) const {
    if (!court_.witness.shares_by_pods(release) || revision != memo.canary || memo.weight == 0)
      return false;
    const int replicas = court_.witness.fewest_replicas(release, court_.now() - court_.staleness());
    return to >= court_.witness.pods_for(release, memo.weight, replicas);
  }

  void check_drained(const ObjectKey& release, const ObjectKey& revision) const {
    if (!court_.witness.ever_served(revision)) return;
    const auto policy = court_.witness.policy(revision);
    const auto& served = court_.world.gateway().served(release);
    if (served.weights.empty()) return;  // the route is gone
    const int weight = court_.world.gateway().weight(release, revision.name);
    const auto since = served.since.find(revision.name);
    if (weight > 0)
      return court_.fail("pods with weight stay",
                         fmt::format("{} lost pods at {} %", revision.name, weight));
    if (!policy || since == served.since.end()) return;
    const SimTime drained = court_.now() - since->second;
    if (drained < SimTime(policy->drain) - court_.clock_spread)
      court_.fail("pods drain",
                  fmt::format("{} lost pods {:.2f} s after its weight was 0", revision.name,
                              std::chrono::duration<double>(drained).count()));
  }
};

}  // namespace

std::unique_ptr<Check> check_drain(const Court& court) {
  return std::make_unique<DrainCheck>(court);
}

}  // namespace weir::sim
