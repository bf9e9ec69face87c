// Only the leader writes: nothing is sent by an instance that does not hold the Lease.
#include <fmt/format.h>

#include "sim/checks/witness.h"

namespace weir::sim {
namespace {

class LeaderCheck final : public Check {
 public:
  using Check::Check;

  void on_write(const Write& write) override {
    if (write.to(kinds::kLease)) return see_lease(write);
    if (!write.by_operator()) return;
    int leader = 0;
    holders_.during(write.author.sent, [&](int holder, SimTime) { leader = holder; });
    if (leader != write.author.instance)
      court_.fail("no write by a deposed leader",
                  fmt::format("instance {} wrote {} {} while {} led", write.author.instance,
                              write.ref.plural, write.ref.key.name, leader));
  }

 private:
  void see_lease(const Write& write) {
    const bool held = !json_text(write.after, {"spec", "holderIdentity"}).empty();
    holders_.set(court_.now(), held ? write.author.instance : 0);
  }

  Timeline<int> holders_;
};

}  // namespace

std::unique_ptr<Check> check_leader(const Court& court) {
  return std::make_unique<LeaderCheck>(court);
}

}  // namespace weir::sim
