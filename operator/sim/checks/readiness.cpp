// Weight goes where pods are ready for it, and who serves, or may be returned to, keeps its pods.
#include <fmt/format.h>

#include <algorithm>

#include "api/meta.h"
#include "kube/kinds.h"
#include "sim/checks/witness.h"

namespace weir::sim {
namespace {

class ReadinessCheck final : public Check {
 public:
  using Check::Check;

  void on_write(const Write& write) override {
    if (!write.by_operator() || write.after.is_null()) return;
    if (is_route(write))
      check_rise(write);
    else if (write.to(kinds::kService) && write.before.is_null())
      check_first(write);
    if (write.to(kinds::kReplicaSet) && !write.before.is_null()) check_shrink(write);
  }

 private:
  void check_rise(const Write& write) {
    const auto& release = write.ref.key;
    const auto& [before, now] = court_.witness.change(release);
    const int earned = now.canary == before.canary ? before.weight : 0;
    const bool first = before.stable.empty() && !now.stable.empty();
    const bool promotes = !before.canary.empty() && now.stable == before.canary;
    if ((first && !serves_callers(write, now.stable)) || promotes)
      check_ready(release, now.stable, 100);
    if (now.weight > earned) check_ready(release, now.canary, now.weight);
  }

  // The Service for callers comes before the first route: with it its revision serves.
  void check_first(const Write& write) const {
    const auto& release = write.ref.key;
    const auto revision = json_text(write.after, {"spec", "selector", marks::kRevision});
    const bool for_callers =
        json_text(write.after, {"metadata", "labels", marks::kRevision}).empty();
    if (for_callers && !revision.empty() && court_.witness.memo(release).stable.empty())
      check_ready(release, revision, 100);
  }

  bool serves_callers(const Write& write, const std::string& revision) const {
    if (!write.to(kinds::kHttpRoute)) return false;
    const Json* callers = court_.world.scene().server.find(kinds::kService, write.ref.key);
    return callers && json_text(*callers, {"spec", "selector", marks::kRevision}) == revision;
  }

  void check_ready(const ObjectKey& release, const std::string& revision, int weight) const {
    const SimTime from = court_.now() - court_.staleness();
    const int needed =
        court_.witness.pods_for(release, weight, court_.witness.fewest_replicas(release, from));
    int most = 0;
    court_.witness.ready({release.ns, release.name + "-" + revision})
        .during(from, [&](int ready, SimTime) { most = std::max(most, ready); });
    if (most < needed)
      court_.fail(
          "no weight without ready pods",
          fmt::format("{} got {} % with {} of {} pods ready", revision, weight, most, needed));
  }

  void check_shrink(const Write& write) const {
    const auto to = static_cast<int>(json_int(write.after, {"spec", "replicas"}, 1));
    if (to >= json_int(write.before, {"spec", "replicas"}, 1)) return;
    const Json& labels = json_at(write.after, {"metadata", "labels"});
    const ObjectKey release{write.ref.key.ns, json_text(labels, {marks::kRelease})};
    const auto revision = json_text(labels, {marks::kRevision});
    const Memo memo = court_.witness.memo(release);
    if (revision != memo.stable && !is_watched(release, memo, revision)) return;
    const int full = court_.witness.fewest_replicas(release, court_.now() - court_.staleness());
    if (to < full)
      court_.fail("stable keeps its full count until the watch ends",
                  fmt::format("{} was scaled to {} of {}", revision, to, full));
  }

  bool is_watched(const ObjectKey& release, const Memo& memo, const std::string& revision) const {
    if (revision != memo.previous || !memo.promoted) return false;
    const auto policy = court_.witness.policy({release.ns, release.name + "-" + memo.stable});
    return policy && court_.now() < *memo.promoted + SimTime(policy->watch) - court_.clock_spread;
  }
};

}  // namespace

std::unique_ptr<Check> check_readiness(const Court& court) {
  return std::make_unique<ReadinessCheck>(court);
}

}  // namespace weir::sim
