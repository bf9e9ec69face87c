// Revisions are immutable: a short hash of what the user wrote, one ReplicaSet and one Service each, never edited but for replicas
// and the pinned policy. This file knows how they look.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "api/canary_policy.h"
#include "api/release.h"
#include "api/workload.h"
#include "base/result.h"

namespace weir {

// Annotations on a ReplicaSet whose revision has config (see release_config.h).
namespace marks {
inline constexpr std::string_view kConfig = "weir.dev/config";  // names of its copies (JSON)
inline constexpr std::string_view kConfigCopied = "weir.dev/config-copied";  // they have been made
}  // namespace marks

inline constexpr std::size_t kRevisionLength = 10;  // symbols

// The pod template with spec.images laid over it. Error: Invalid, when an image names a container that is not there, or spec.config
// an object that the template does not name.
Result<Json> resolved_template(const ReleaseSpec& spec);

// Of the resolved template and of nothing that Weir adds: hashes of one version must hold in the next, or an upgrade would release
// the whole fleet (a golden test holds them).
std::string revision_of(const Json& resolved_template);

std::string child_name(const Release& release, const std::string& revision);

// The policy a release was started with, as it is pinned on its ReplicaSet.
struct PinnedPolicy {
  std::string name;
  std::int64_t generation = 0;
  CanaryPolicySpec spec;
  std::string text;  // the annotation
};
std::string pin_text(const CanaryPolicy& policy);
// Errors: Parse, Invalid.
Result<PinnedPolicy> decode_pin(const std::string& text);

struct RevisionSpec {
  std::string revision;
  Json resolved_template;
  int replicas = 0;
  const PinnedPolicy& policy;
  std::string config_mark{};                // annotation; "" = it has no config
  const DeploymentView* adopted = nullptr;  // the Deployment that may get it back
};
Json replica_set_body(const Release& release, const ReleaseSpec& spec,
                      const RevisionSpec& revision);
Json revision_service_body(const Release& release, const ReleaseSpec& spec,
                           const std::string& revision);
// Of what must outlive the Release: the Deployment as a second owner keeps the garbage collector away from it.
Json shared_owners(const Release& release, const DeploymentView& deployment);
// The Deployment alone, as its controller writes it.
Json deployment_owner(const DeploymentView& deployment, bool controller);
// The Service that callers inside the cluster use; its selector names the stable revision.
Json callers_service_body(const Release& release, const ReleaseSpec& spec,
                          const std::string& stable);

}  // namespace weir
