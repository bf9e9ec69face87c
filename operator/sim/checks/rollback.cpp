// A rollback comes first and stays; only what hurts is taken back.
#include <fmt/format.h>

#include "kube/kinds.h"
#include "sim/checks/witness.h"

namespace weir::sim {
namespace {

class RollbackCheck final : public Check {
 public:
  using Check::Check;

  void on_write(const Write& write) override {
    if (!write.by_operator()) return;
    const bool first_of_pass =
        last_.instance != write.author.instance || last_.pass != write.author.pass;
    last_ = write.author;
    if (!is_route(write) || write.after.is_null()) return;
    const auto& release = write.ref.key;
    const auto& [before, now] = court_.witness.change(release);
    check_stays(release, now);
    if (now.rolled_back.empty() || now.rolled_back == before.rolled_back) return;
    // People may have asked for more while it was on its way.
    taken_back_[release][now.rolled_back] =
        court_.witness.changes_of_revision(release, write.author.sent);
    // The revision that served until now; a rollback that was written before and lost its route is told again without serving.
    if (before.canary != now.rolled_back && before.stable != now.rolled_back) return;
    if (!first_of_pass)
      court_.fail("a rollback is the first write of its pass", now.rolled_back + " had to wait");
    if (court_.witness.asked(release, "abort", now.rolled_back) > 0 ||
        court_.witness.asked(release, "rollback", now.stable) > 0)
      return;
    const auto fault = court_.witness.fault({release.ns, release.name + "-" + now.rolled_back});
    if (fault.empty())
      court_.fail(std::string(kGoodStays), now.rolled_back + " for " + now.reason);
    else if (fault != now.reason)
      court_.fail("a rollback tells its reason",
                  fmt::format("{} for {}, not {}", now.rolled_back, now.reason, fault));
  }

 private:
  void check_stays(const ObjectKey& release, const Memo& now) {
    const int changes = court_.witness.changes_of_revision(release, court_.now());
    for (const auto& [revision, at_change] : taken_back_[release]) {
      const bool serves = (now.canary == revision && now.weight > 0) || now.stable == revision;
      if (serves && changes == at_change)
        court_.fail("a rolled-back revision gets no traffic", revision + " serves again");
    }
  }

  Author last_;
  std::map<ObjectKey, std::map<std::string, int>> taken_back_;  // and the spec's change that it was
};

}  // namespace

std::unique_ptr<Check> check_rollback(const Court& court) {
  return std::make_unique<RollbackCheck>(court);
}

}  // namespace weir::sim
