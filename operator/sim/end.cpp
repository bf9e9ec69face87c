#include "sim/end.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/codec.h"
#include "api/workload.h"
#include "delivery/release_config.h"
#include "delivery/revision.h"
#include "kube/kinds.h"
#include "sim/checks/witness.h"
#include "sim/world/pods.h"

namespace weir::sim {
namespace {

// Of the Deployment for a Release that has adopted it.
Json template_of(const ApiServer& server, const ObjectKey& key, const Json& release) {
  const Json* deployment = server.find(kinds::kDeployment, key);
  const bool adopts = !json_at(release, {"spec", "workloadRef"}).is_null();
  return adopts && deployment ? plain_template(json_at(*deployment, {"spec", "template"}))
                              : json_at(release, {"spec", "template"});
}

std::string wanted_revision(const ApiServer& server, const ObjectKey& key, const Json& release) {
  const auto decoded = decode_release(release);
  if (!decoded || !decoded->spec) return "none";
  if (!decoded->spec->workload.empty()) return revision_of(template_of(server, key, release));
  const auto pod_template = resolved_template(*decoded->spec);
  if (!pod_template) return "none";
  const auto refs = refs_of(decoded->spec->config);
  if (refs.empty()) return revision_of(*pod_template);
  ConfigAnswers contents;
  for (const auto& ref : refs) {
    const Json* object = server.find(kind_of(ref), {decoded->meta.key.ns, ref.name});
    if (!object) return "none";
    contents.emplace(ref, content_of(ref, *object));
  }
  return revision_with(*pod_template, contents);
}

// "wanted" or "another": names of older revisions depend on how far an earlier release had come.
std::string role(const std::string& name, const ObjectKey& release, const std::string& wanted) {
  return name == release.name + "-" + wanted ? "wanted" : "another";
}

std::string weights(const ApiServer& server, const ObjectKey& release, const std::string& wanted) {
  const Json* route = find_route(server, release);
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
    const auto revision = json_text(*set, {"metadata", "labels", marks::kRevision});
    if (role(release.name + "-" + revision, release, wanted) == "wanted")
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

// What a Deployment has after its Release is gone.
std::string given_back(const ApiServer& server, const ObjectKey& key) {
  const Json* deployment = server.find(kinds::kDeployment, key);
  const Json* service = server.find(kinds::kService, key);
  if (!deployment) return "";
  int sets = 0;
  for (const auto& set : server.all(kinds::kReplicaSet))
    if (json_int(*set, {"spec", "replicas"}) > 0) ++sets;
  return fmt::format("; its Deployment {}, {} of {} pods of {} ReplicaSets, callers by {}",
                     json_at(*deployment, {"spec", "paused"}) == true ? "paused" : "running",
                     json_int(*deployment, {"status", "availableReplicas"}),
                     json_int(*deployment, {"spec", "replicas"}), sets,
                     service ? dump_json(json_at(*service, {"spec", "selector"})) : "nothing");
}

std::string end_of(const ApiServer& server, const ObjectKey& key) {
  const Json* release = server.find(kinds::kRelease, key);
  if (!release) return key.name + ": gone" + given_back(server, key);
  const auto wanted = wanted_revision(server, key, *release);
  const auto image = image_of(template_of(server, key, *release));
  return fmt::format("{} ({}): {}: {}{}{}", key.name, image.substr(0, image.find('-')),
                     json_text(*release, {"status", "phase"}), weights(server, key, wanted),
                     pods(server, key, wanted), callers(server, key, wanted));
}

namespace {

bool was_done(const std::vector<std::string>& answers, std::string_view verb) {
  return std::any_of(answers.begin(), answers.end(), [&](const std::string& answer) {
    return answer.starts_with(verb) && answer.ends_with("Done");
  });
}

// Whether a fault showed before somebody let its revision through unjudged, and which revision served when somebody went back, are
// matters of moments. A stable that somebody went back to and that is bad keeps a canary waiting that is as bad.
bool is_matter_of_moments(const std::vector<std::string>& answers, const std::string& end,
                          const std::string& right) {
  const auto either = [&](std::string_view phase) {
    return (end + right).find(phase) != std::string::npos;
  };
  const bool good = end.find(" (good)") != std::string::npos;
  if (was_done(answers, "rollback"))
    return either(": RolledBack:") || (!good && either(": Progressing:"));
  return !good && was_done(answers, "promote");
}

}  // namespace

void compare_ends(RunResult& result, const RunResult& without_faults) {
  for (const auto& violation : without_faults.violations)
    result.violations.push_back({violation.rule, "without faults: " + violation.what});
  if (!result.violations.empty()) return;
  for (std::size_t i = 0; i < result.end.size(); ++i) {
    const auto& end = result.end[i];
    const auto& right = without_faults.end[i];
    if (is_matter_of_moments(result.answers[i], end, right)) continue;
    // Who asks at another moment of a release is answered otherwise, and comes to another end.
    if (end != right && result.answers[i] == without_faults.answers[i])
      result.violations.push_back({"the end is that of a run without faults",
                                   fmt::format("{}; without faults {}", end, right)});
  }
}

}  // namespace weir::sim
