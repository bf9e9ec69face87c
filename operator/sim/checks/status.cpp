// Status is never ahead of the world, and never large.
#include <fmt/format.h>

#include <algorithm>

#include "base/time_format.h"
#include "kube/kinds.h"
#include "sim/checks/witness.h"

namespace weir::sim {
namespace {

constexpr std::size_t kMaxStatus = 16U << 10U;  // bytes

class StatusCheck final : public Check {
 public:
  using Check::Check;

  void on_write(const Write& write) override {
    if (!write.to(kinds::kRelease) || !write.by_operator() || write.after.is_null()) return;
    const Json& status = json_at(write.after, {"status"});
    const auto size = dump_json(status).size();
    if (size > kMaxStatus)
      court_.fail("a status is bounded", fmt::format("{} bytes, at most {}", size, kMaxStatus));
    // What the operator said last is how far the world can be.
    const auto& memos = court_.witness.memos(write.ref.key);
    if (memos.empty() || is_of_namesake(write)) return;
    check_canary(status, memos);
    check_stable(status, memos);
    check_phase(write.ref.key, status);
  }

 private:
  // Sent for a Release that has been deleted since and made anew: a server does not hold a status against the uid. The next pass puts it
  // right.
  bool is_of_namesake(const Write& write) const {
    const auto made = parse_time(json_text(write.after, {"metadata", "creationTimestamp"}));
    return made && write.author.sent < court_.world.scene().clock.elapsed_at(*made);
  }

  SimTime from() const { return court_.now() - court_.staleness(); }

  void check_canary(const Json& status, const Timeline<Memo>& memos) const {
    const auto revision = json_text(status, {"canary", "revision"});
    const auto weight = json_int(status, {"canary", "weight"});
    if (weight == 0) return;
    bool seen = false;
    memos.during(from(), [&](const Memo& memo, SimTime) {
      seen = seen || (memo.canary == revision && memo.weight == weight);
    });
    if (!seen)
      court_.fail("status is never ahead of the world",
                  fmt::format("it gives {} {} %, no route did", revision, weight));
  }

  void check_stable(const Json& status, const Timeline<Memo>& memos) const {
    const auto stable = json_text(status, {"stable", "revision"});
    bool seen = stable.empty();
    memos.during(from(), [&](const Memo& memo, SimTime) { seen = seen || memo.stable == stable; });
    if (!seen)
      court_.fail("status is never ahead of the world",
                  fmt::format("it calls {} stable, no route did", stable));
  }

  void check_phase(const ObjectKey& release, const Json& status) const {
    if (json_text(status, {"phase"}) != "RolledBack") return;
    const auto revision = json_text(status, {"lastRollback", "revision"});
    bool served = true;
    court_.witness.memos(release).during(from(), [&](const Memo& memo, SimTime) {
      served = served && (memo.stable == revision || memo.canary == revision);
    });
    if (served)
      court_.fail("status is never ahead of the world", revision + " is RolledBack and serves");
  }
};

}  // namespace

std::unique_ptr<Check> check_status(const Court& court) {
  return std::make_unique<StatusCheck>(court);
}

}  // namespace weir::sim
