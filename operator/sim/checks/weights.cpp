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
    if (!write.to(kinds::kHttpRoute) || !write.by_operator() || write.after.is_null()) return;
    const auto& release = write.ref.key;
    const auto& [before, now] = court_.witness.change(release);
    check_sum(write);
    check_bearers(write, now);
    if (before.stable.empty()) return;
    if (now.stable != before.stable) check_new_stable(release, before, now);
    const int earned = now.canary == before.canary ? before.weight : 0;
    if (now.weight > earned) check_step(release, now.canary, earned, now.weight);
  }

 private:
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

  void check_new_stable(const ObjectKey& release, const Memo& before, const Memo& now) const {
    const bool promoted = now.stable == before.canary && before.weight == 100;
    const bool returned = now.stable == before.previous;
    if (!promoted && !returned)
      court_.fail("no step is skipped", fmt::format("{}: {} became stable from {} %", release.name,
                                                    now.stable, before.weight));
  }

  void check_step(const ObjectKey& release, const std::string& canary, int from, int to) const {
    const auto policy = court_.witness.policy({release.ns, release.name + "-" + canary});
    if (!policy) return court_.fail("a policy is pinned", canary + " rises without one");
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
