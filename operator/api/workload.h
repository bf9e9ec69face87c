// The Deployment that a Release adopts (designs/013-adoption.md), and the marks of adoption.
#pragma once

#include <string>

#include "api/meta.h"
#include "base/json.h"
#include "base/result.h"

namespace weir {

namespace kinds {
inline constexpr Kind kDeployment{"apps", "v1", "Deployment", "deployments"};
}

namespace marks {
// Annotation on a Release that has taken, or is about to take, what must be given back: the Deployment's name.
inline constexpr std::string_view kAdopts = "weir.dev/adopts";
// On what was taken: how it was before. On a Service an annotation, its selector (JSON). On a Deployment a label, Running or
// Paused, and Running-<the revision it gets> while it is given back: annotations would be copied to its ReplicaSets, for good.
inline constexpr std::string_view kAdopted = "weir.dev/adopted";
inline constexpr std::string_view kGiveBack = "weir.dev/give-back";  // finalizer on such a Release
inline constexpr std::string_view kRunning = "Running";
inline constexpr std::string_view kPaused = "Paused";
// Label of the Deployment controller: which of a Deployment's templates a pod comes from.
inline constexpr std::string_view kPodTemplateHash = "pod-template-hash";
}  // namespace marks

struct DeploymentView {
  ObjectMeta meta;
  std::string selector_text;  // compact JSON of the LabelSelector
  std::string template_text;  // compact JSON of the PodTemplateSpec, as `plain_template` gives it
  int replicas = 1;           // spec
  bool paused = false;
  bool observed = false;  // its controller has seen this generation of it
  int current = 0;        // status.replicas: pods of all ReplicaSets that it counts as its own
  int updated = 0;        // status.updatedReplicas
  int available = 0;      // status.availableReplicas
};

// Errors: Parse.
Result<DeploymentView> decode_deployment(const Json& object);

// A template without what servers, the Deployment controller and Weir have added: equal for a Deployment and the ReplicaSet that
// was made from it, whatever their server's version.
Json plain_template(Json pod_template);

// In the syntax of the API's query parameter; of a LabelSelector. "" = it selects nothing.
std::string selector_query(const Json& selector);

}  // namespace weir
