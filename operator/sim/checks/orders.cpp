// What people order is done: nothing rises while a release is paused, and every request is answered.
#include <fmt/format.h>

#include "kube/kinds.h"
#include "sim/checks/witness.h"

namespace weir::sim {
namespace {

class OrdersCheck final : public Check {
 public:
  using Check::Check;

  void on_write(const Write& write) override {
    if (!is_route(write) || !write.by_operator() || write.after.is_null()) return;
    const auto& release = write.ref.key;
    const auto& [before, now] = court_.witness.change(release);
    if (before.paused && !now.paused && now.request == before.request)
      court_.fail("only a request ends a pause that a request began", release.name);
    const bool rises = now.weight > (now.canary == before.canary ? before.weight : 0);
    const bool promotes = !before.canary.empty() && now.stable == before.canary;
    if (!rises && !promotes) return;
    const auto since = court_.witness.paused_since(release);
    const bool known = since && court_.now() - *since > court_.staleness();
    if (now.paused || known)
      court_.fail("nothing rises while a release is paused",
                  fmt::format("{} went from {} to {} %", now.canary, before.weight, now.weight));
  }

  void at_end() override {
    for (const auto& release : court_.world.scene().server.all(kinds::kRelease)) {
      const auto id = json_text(*release, {"metadata", "annotations", marks::kRequestId});
      bool answered = id.empty();
      for (const auto& request : json_at(*release, {"status", "requests"}))
        answered = answered || json_text(request, {"id"}) == id;
      if (!answered) court_.fail("every request is answered", id);
    }
  }
};

}  // namespace

std::unique_ptr<Check> check_orders(const Court& court) {
  return std::make_unique<OrdersCheck>(court);
}

}  // namespace weir::sim
