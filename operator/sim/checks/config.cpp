// All pods of a revision see one content of its config, whatever people do to the objects that it was made of.
#include "delivery/config.h"

#include <fmt/format.h>

#include "kube/kinds.h"
#include "sim/checks/witness.h"
#include "sim/world/pods.h"

namespace weir::sim {
namespace {

class ConfigCheck final : public Check {
 public:
  using Check::Check;

  void on_write(const Write& write) override {
    if (write.to(kinds::kConfigMap) && write.by_operator() && !write.before.is_null())
      court_.fail("a copy is made once and never written again", write.ref.key.name);
    if (!write.to(kinds::kPod) || write.after.is_null()) return;
    const auto content = config_seen_by(write.after);
    if (!content) return;
    const auto revision = json_text(write.after, {"metadata", "labels", marks::kRevision});
    const auto& first = seen_.try_emplace({write.ref.key.ns, revision}, *content).first->second;
    if (first != *content)
      court_.fail("pods of a revision see one content",
                  fmt::format("{} saw {}, others {}", write.ref.key.name, *content, first));
  }

 private:
  std::map<ObjectKey, std::string> seen_;  // by revision
};

}  // namespace

std::unique_ptr<Check> check_config(const Court& court) {
  return std::make_unique<ConfigCheck>(court);
}

}  // namespace weir::sim
