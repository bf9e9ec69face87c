// A step is left only after its weight was served, its pods ready for the whole hold, and something counted of it.
#include <fmt/format.h>

#include <algorithm>

#include "kube/kinds.h"
#include "sim/checks/witness.h"

namespace weir::sim {
namespace {

double in_seconds(SimTime span) { return std::chrono::duration<double>(span).count(); }

class HoldsCheck final : public Check {
 public:
  using Check::Check;

  void on_write(const Write& write) override {
    if (!is_route(write) || !write.by_operator() || write.after.is_null()) return;
    const auto& release = write.ref.key;
    const auto& [before, now] = court_.witness.change(release);
    if (before.canary.empty() || before.weight == 0) return;
    const bool rises = now.canary == before.canary && now.weight > before.weight;
    const bool promotes = now.stable == before.canary;
    if (promotes && court_.witness.is_gone(release, before.stable)) return;
    if (rises || promotes) check_hold(release, before);
  }

 private:
  // Each promote of a person waives one hold, promote-full all of them.
  void fail(const ObjectKey& release, const std::string& canary, std::string rule,
            std::string what) {
    if (court_.witness.asked(release, "promote-full", canary) > 0) return;
    if (++waived_[release][canary] > court_.witness.asked(release, "promote", canary))
      court_.fail(std::move(rule), std::move(what));
  }

  void check_hold(const ObjectKey& release, const Memo& before) {
    const std::string service = release.name + "-" + before.canary;
    const auto policy = court_.witness.policy({release.ns, service});
    if (!policy) return;
    const auto& steps = policy->steps;
    const auto step = std::find_if(steps.rbegin(), steps.rend(),
                                   [&](const PolicyStep& s) { return s.weight <= before.weight; });
    // The clock that ends a hold may be another machine's than the one that began it.
    const SimTime hold =
        SimTime(step == steps.rend() ? milliseconds(0) : step->hold) - court_.clock_spread;
    const auto& served = court_.world.gateway().served(release);
    const auto since = served.since.find(service);
    const bool serves = court_.world.gateway().weight(release, service) == before.weight;
    const SimTime lasted = since == served.since.end() ? SimTime(0) : court_.now() - since->second;
    // A hand on the route between what was observed and the write is as old as the cache may be.
    if (!serves && court_.staleness() > SimTime(milliseconds(500))) return;
    const bool may_be_short = policy->judge.advance == Advance::Early;
    if (!serves || (lasted < hold && !may_be_short))
      fail(release, before.canary, "every step is held",
           fmt::format("{} left {} % after {:.2f} s", before.canary, before.weight,
                       serves ? in_seconds(lasted) : 0.0));
    else if (told_before(*policy, before.weight, service, since->second))
      fail(release, before.canary, "every step has a sample of its own",
           fmt::format("{} left {} %, and the newest sample was scraped before it was served",
                       before.canary, before.weight));
    else
      check_ready(release, service, before, std::min(hold, lasted));
  }

  // An operator whose clock is behind takes what was scraped a moment before for new. Whoever serves alone is compared with nobody.
  bool told_before(const CanaryPolicySpec& policy, int weight, const std::string& service,
                   SimTime since) const {
    const bool needed =
        std::any_of(policy.objectives.begin(), policy.objectives.end(), [&](const auto& o) {
          return o.ratio && o.on_no_data == WhenNoData::Hold && (weight < 100 || o.ratio->at_most);
        });
    return needed && court_.world.prometheus().told(service) + court_.clock_spread < since;
  }

  // A break that ended, or began, within the age of what the operator may have seen is not held against it.
  void check_ready(const ObjectKey& release, const std::string& service, const Memo& before,
                   SimTime hold) {
    const auto blind = court_.staleness();
    const SimTime from = court_.now() - hold + blind;
    const SimTime to = court_.now() - blind;
    if (from >= to) return;
    const int replicas = court_.witness.fewest_replicas(release, from - blind);
    const int needed = court_.witness.pods_for(release, before.weight, replicas);
    SimTime until = court_.now();
    std::string broken;
    court_.witness.ready({release.ns, service}).during(from, [&](int ready, SimTime since) {
      const SimTime begin = std::max(since, from);
      const SimTime end = std::min(until, to);
      until = since;
      if (ready < needed && end - begin > blind)
        broken = fmt::format("{} left {} % though only {} of {} were ready for {:.2f} s",
                             before.canary, before.weight, ready, needed, in_seconds(end - begin));
    });
    if (!broken.empty())
      fail(release, before.canary, "every step is held with its pods ready", broken);
  }

  std::map<ObjectKey, std::map<std::string, int>> waived_;  // holds that were not kept, by canary
};

}  // namespace

std::unique_ptr<Check> check_holds(const Court& court) {
  return std::make_unique<HoldsCheck>(court);
}

}  // namespace weir::sim
