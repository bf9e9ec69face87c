#include "sim/end.h"

#include <fmt/format.h>

#include "api/codec.h"
#include "delivery/revision.h"
#include "kube/kinds.h"
#include "sim/checks/witness.h"
#include "sim/world/pods.h"

namespace weir::sim {
namespace {

std::string wanted_revision(const Json& release) {
  const auto decoded = decode_release(release);
  if (!decoded || !decoded->spec) return "none";
  const auto pod_template = resolved_template(*decoded->spec);
  return pod_template ? revision_of(*pod_template) : "none";
}

// "wanted" or "another": names of older revisions depend on how far an earlier release had come.
std::string role(const std::string& name, const ObjectKey& release, const std::string& wanted) {
  return name == release.name + "-" + wanted ? "wanted" : "another";
}

std::string weights(const ApiServer& server, const ObjectKey& release, const std::string& wanted) {
  const Json* route = server.find(kinds::kHttpRoute, release);
  if (!route) return "no route";
  std::string text;
  int others = 0;
  for (const auto& [service, weight] : weights_of_route(*route)) {
    if (role(service, release, wanted) == "wanted")
      text = fmt::format("wanted {} %, ", weight);
    else
      others += weight;
  }
  return text + fmt::format("others {} %, ", others);
}

// Others may have more than the spec asks for: who serves shrinks only after a release.
std::string pods(const ApiServer& server, const ObjectKey& release, const std::string& wanted) {
  std::int64_t mine = 0;
  int others = 0;
  for (const auto& set : server.all(kinds::kReplicaSet)) {
    if (json_text(*set, {"metadata", "labels", marks::kRelease}) != release.name) continue;
    const auto replicas = json_int(*set, {"spec", "replicas"}, 1);
    if (role(json_text(*set, {"metadata", "name"}), release, wanted) == "wanted")
      mine = replicas;
    else if (replicas > 0)
      ++others;
  }
  // Who does not serve everything may have been given more by hand: it shrinks after the release.
  const bool serves = others == 0;
  return fmt::format("{} pods of wanted, {} others with pods, ",
                     serves     ? fmt::format("{}", mine)
                     : mine > 0 ? "some"
                                : "no",
                     others);
}

std::string callers(const ApiServer& server, const ObjectKey& release, const std::string& wanted) {
  const Json* service = server.find(kinds::kService, release);
  if (!service) return "no callers' Service";
  const auto selected = json_text(*service, {"spec", "selector", marks::kRevision});
  return "callers to " + role(release.name + "-" + selected, release, wanted);
}

}  // namespace

std::string end_of(const ApiServer& server, const ObjectKey& key) {
  const Json* release = server.find(kinds::kRelease, key);
  if (!release) return key.name + ": gone";
  const auto wanted = wanted_revision(*release);
  const auto image = image_of(json_at(*release, {"spec", "template"}));
  return fmt::format("{} ({}): {}: {}{}{}", key.name, image.substr(0, image.find('-')),
                     json_text(*release, {"status", "phase"}), weights(server, key, wanted),
                     pods(server, key, wanted), callers(server, key, wanted));
}

void compare_ends(RunResult& result, const RunResult& without_faults) {
  for (const auto& violation : without_faults.violations)
    result.violations.push_back({violation.rule, "without faults: " + violation.what});
  if (!result.violations.empty()) return;
  for (std::size_t i = 0; i < result.end.size(); ++i) {
    const auto& end = result.end[i];
    const auto& right = without_faults.end[i];
    // Who asks at another moment of a release is answered otherwise, and comes to another end.
    if (end != right && result.answers[i] == without_faults.answers[i])
      result.violations.push_back({"the end is that of a run without faults",
                                   fmt::format("{}; without faults {}", end, right)});
  }
}

}  // namespace weir::sim
