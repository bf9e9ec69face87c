// No hot loop: writes of the operator to one object are bounded.
#include <fmt/format.h>

#include <deque>

#include "kube/kinds.h"
#include "sim/checks/witness.h"

namespace weir::sim {
namespace {

constexpr SimTime kWindow = seconds(60);
constexpr std::size_t kMaxWrites = 120;  // to one object in a window

class LoopsCheck final : public Check {
 public:
  using Check::Check;

  void on_write(const Write& write) override {
    if (!write.by_operator() || write.to(kinds::kEvent)) return;
    auto& times = writes_[write.ref];
    times.push_back(court_.now());
    while (times.front() < court_.now() - kWindow) times.pop_front();
    if (times.size() > kMaxWrites)
      court_.fail("no hot loop", fmt::format("{} writes to {} {} within a minute", times.size(),
                                             write.ref.plural, write.ref.key.name));
  }

 private:
  std::map<ObjectRef, std::deque<SimTime>> writes_;
};

}  // namespace

std::unique_ptr<Check> check_loops(const Court& court) {
  return std::make_unique<LoopsCheck>(court);
}

}  // namespace weir::sim
