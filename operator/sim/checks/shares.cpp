// Where pods are the share: when the callers' Service begins to select them all, only stable and the canary have any, and the
// canary no more than its step allows.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "api/meta.h"
#include "kube/kinds.h"
#include "sim/checks/witness.h"

namespace weir::sim {
namespace {

bool is_shared(const Json& service) {
  return is_callers_route(service) &&
         json_text(service, {"spec", "selector", marks::kRevision}).empty();
}

class SharesCheck final : public Check {
 public:
  using Check::Check;

  void on_write(const Write& write) override {
    if (!write.to(kinds::kService) || !write.by_operator() || write.after.is_null()) return;
    if (!is_shared(write.after) || is_shared(write.before)) return;
    const auto& release = write.ref.key;
    const auto& [before, memo] = court_.witness.change(release);
    for (const auto& set : court_.world.scene().server.all(kinds::kReplicaSet)) {
      const Json& labels = json_at(*set, {"metadata", "labels"});
      const auto revision = json_text(labels, {marks::kRevision});
      const bool takes_part = revision == memo.stable || revision == memo.canary;
      if (json_text(labels, {marks::kRelease}) == release.name && !takes_part &&
          fewest(release, revision) > 0)
        court_.fail("only stable and the canary share the traffic",
                    fmt::format("{} has ready pods, too", revision));
    }
    // Where the selector is only put right, pods for the next step may be there already.
    if (before.canary != memo.canary || before.weight < memo.weight) check_canary(release, memo);
  }

 private:
  // What the writer cannot have missed.
  int fewest(const ObjectKey& release, const std::string& revision) const {
    int least = std::numeric_limits<int>::max();
    during(release, revision, [&](int ready) { least = std::min(least, ready); });
    return least == std::numeric_limits<int>::max() ? 0 : least;
  }

  template <typename See>
  void during(const ObjectKey& release, const std::string& revision, const See& see) const {
    court_.witness.ready({release.ns, release.name + "-" + revision})
        .during(court_.now() - court_.staleness(), [&](int ready, SimTime) { see(ready); });
  }

  // Beside a stable that brings its own pods down no share can be kept.
  void check_canary(const ObjectKey& release, const Memo& memo) const {
    const auto fault = court_.witness.fault({release.ns, release.name + "-" + memo.stable});
    if (!fault.empty() && fault != "errors") return;
    const int canary = fewest(release, memo.canary);
    int stable = 0;
    during(release, memo.stable, [&](int ready) { stable = std::max(stable, ready); });
    if (canary > 1 && canary * 100 > memo.weight * (stable + canary))
      court_.fail("a share is not above its step",
                  fmt::format("{} has {} ready pods beside {} for {} %", memo.canary, canary,
                              stable, memo.weight));
  }
};

}  // namespace

std::unique_ptr<Check> check_shares(const Court& court) {
  return std::make_unique<SharesCheck>(court);
}

}  // namespace weir::sim
