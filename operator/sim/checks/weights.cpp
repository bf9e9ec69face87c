// Weights sum to 100, belong to who has earned them, and rise one step at a time.
#include <fmt/format.h>

#include <algorithm>

#include "kube/kinds.h"
#include "sim/checks/witness.h"

namespace weir::sim {
namespace {

class WeightsCheck final : public Check {
 public:
  using Check::Check;

  void on_write(const Write& write) override {
    if (!is_route(write) || !write.by_operator() || write.after.is_null()) return;
    const auto& release = write.ref.key;
    const auto& [before, now] = court_.witness.change(release);
    check_sum(write);
    check_bearers(write, now);
    if (before.stable.empty()) return;
    if (now.stable != before.stable) check_new_stable(write, before, now);
    const int earned = now.canary == before.canary ? before.weight : 0;
    if (now.weight <= earned) return;
    check_step(release, now.canary, earned, now.weight);
    check_guard(write, release.name + "-" + now.canary, earned);
  }

 private:
  // A rise is decided on the route as it is: it carries its version.
  void check_guard(const Write& write, const std::string& service, int earned) const {
    if (write.before.is_null()) return;
    const auto weights = weights_of_route(write.before);
    const auto found = weights.find(service);
    const int had = found == weights.end() ? 0 : found->second;
    if (had != earned)
      court_.fail("a rise is decided on the route as it is",
                  fmt::format("{} rose from {} %, the route said {} %", service, earned, had));
  }

  void check_sum(const Write& write) const {
    int sum = 0;
    for (const auto& [service, weight] : weights_of_route(write.after)) sum += weight;
    if (sum != 100) court_.fail("weights sum to 100", fmt::format("they sum to {}", sum));
  }

  void check_bearers(const Write& write, const Memo& memo) const {
    for (const auto& [service, weight] : weights_of_route(write.after)) {
      const auto revision = court_.witness.revision_of(write.ref.key, service);
      const int meant = revision == memo.canary   ? memo.weight
                        : revision == memo.stable ? 100 - memo.weight
                                                  : 0;
      if (weight != meant)
        court_.fail("a weight is what the memo says",
                    fmt::format("{} has {} %, the memo says {} %", revision, weight, meant));
    }
  }

  void check_new_stable(const Write& write, const Memo& before, const Memo& now) const {
    const auto& release = write.ref.key;
    const bool promoted = now.stable == before.canary && before.weight == 100;
    const bool returned =
        now.stable == before.previous || court_.witness.asked(release, "rollback", now.stable) > 0;
    const bool gone = court_.witness.is_gone(release, before.stable);
    if (!promoted && !returned && !gone && !is_forgotten(write))
      court_.fail("no step is skipped", fmt::format("{}: {} became stable from {} %", release.name,
                                                    now.stable, before.weight));
  }

  // People removed every witness of who was stable before status could tell it.
  bool is_forgotten(const Write& write) const {
    const auto& server = court_.world.scene().server;
    const Json* release = server.find(kinds::kRelease, write.ref.key);
    const bool is_witness = write.to(kinds::kHttpRoute);  // else the route is the callers' Service
    const Json* callers = is_witness ? server.find(kinds::kService, write.ref.key) : nullptr;
    const bool told = release && !json_text(*release, {"status", "stable", "revision"}).empty();
    return write.before.is_null() && !callers && !told;
  }

  void check_step(const ObjectKey& release, const std::string& canary, int from, int to) const {
    const auto policy = court_.witness.policy({release.ns, release.name + "-" + canary});
    if (!policy) return court_.fail("a policy is pinned", canary + " rises without one");
    if (to == 100 && court_.witness.asked(release, "promote-full", canary) > 0) return;
    const auto& steps = policy->steps;
    const auto next = std::find_if(steps.begin(), steps.end(),
                                   [&](const PolicyStep& step) { return step.weight > from; });
    if (next == steps.end() || to > next->weight)
      court_.fail("no step is skipped", fmt::format("{} went from {} to {} %", canary, from, to));
  }
};

}  // namespace

std::unique_ptr<Check> check_weights(const Court& court) {
  return std::make_unique<WeightsCheck>(court);
}

}  // namespace weir::sim
