// Pods that fail by themselves take their revision back, and it never has weight that they cannot serve.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "kube/kinds.h"
#include "sim/checks/witness.h"

namespace weir::sim {
namespace {

constexpr std::array<std::string_view, 3> kPodFaults{"CrashLoop", "ImagePull", "NotReady"};

class PodsCheck final : public Check {
 public:
  using Check::Check;

  void on_write(const Write& write) override {
    if (!is_route(write) || !write.by_operator() || write.after.is_null()) return;
    const auto& release = write.ref.key;
    const Memo memo = court_.witness.change(release).now;
    const auto fault = fault_of(release, memo.canary);
    if (memo.weight > 0 && (fault == "ImagePull" || fault == "NotReady"))
      court_.fail("who is never ready gets no weight",
                  fmt::format("{} got {} %: {}", memo.canary, memo.weight, fault));
  }

  void at_end() override {
    for (const auto& object : court_.world.scene().server.all(kinds::kRelease)) {
      const ObjectKey release{json_text(*object, {"metadata", "namespace"}),
                              json_text(*object, {"metadata", "name"})};
      const Memo memo = court_.witness.memo(release);
      const auto fault = fault_of(release, memo.canary);
      if (std::find(kPodFaults.begin(), kPodFaults.end(), fault) != kPodFaults.end())
        court_.fail("pods that fail take their revision back",
                    fmt::format("{} is still at {} %: {}", memo.canary, memo.weight, fault));
    }
  }

 private:
  std::string fault_of(const ObjectKey& release, const std::string& revision) const {
    return court_.witness.fault({release.ns, release.name + "-" + revision});
  }
};

}  // namespace

std::unique_ptr<Check> check_pods(const Court& court) { return std::make_unique<PodsCheck>(court); }

}  // namespace weir::sim
