#include "sim/trace.h"

#include <fmt/format.h>

#include "api/meta.h"
#include "api/pipeline_run.h"
#include "base/json.h"
#include "kube/kinds.h"
#include "sim/checks/witness.h"

namespace weir::sim {
namespace {

std::string detail(const Write& write) {
  const Json& object = write.after;
  if (is_route(write) && !object.is_null()) {
    std::string text;
    for (const auto& [service, weight] : weights_of_route(object))
      text += fmt::format("{} {} %, ", service, weight);
    return text + json_text(object, {"metadata", "annotations", marks::kTraffic});
  }
  if (write.to(kinds::kReplicaSet))
    return fmt::format("{} replicas", json_int(object, {"spec", "replicas"}, 1));
  if (write.to(kinds::kRelease))
    return fmt::format(
        "{}: {} (ready: stable {}, canary {})", json_text(object, {"status", "phase"}),
        json_text(object, {"status", "message"}), json_int(object, {"status", "stable", "ready"}),
        json_int(object, {"status", "canary", "ready"}));
  if (write.to(kinds::kPipelineRun)) {
    auto text =
        json_text(object, {"status", "phase"}) + ": " + json_text(object, {"status", "message"});
    const Json& stages = json_at(object, {"status", "stages"});
    if (stages.is_array())
      for (const auto& stage : stages)
        text += fmt::format("; {} {} {} {}", json_text(stage, {"name"}),
                            json_text(stage, {"combination"}), json_text(stage, {"phase"}),
                            json_int(stage, {"attempt"}));
    return text;
  }
  if (write.to(kinds::kEvent))
    return json_text(object, {"reason"}) + ": " + json_text(object, {"message"});
  return "";
}

}  // namespace

std::string describe(const Write& write) {
  const auto* verb = write.before.is_null()  ? "creates"
                     : write.after.is_null() ? "deletes"
                                             : "patches";
  return fmt::format("{} {} {}: {}", verb, write.ref.plural, write.ref.key.name, detail(write));
}

}  // namespace weir::sim
