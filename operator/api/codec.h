// Between JSON and the typed structs of this folder. Pure.
// Errors: Invalid (names the field's path, what was found and what is allowed) or Parse. An object whose metadata can be read
// always decodes: a bad spec is an error inside it (Release::spec, CanaryPolicy::spec), so that it can become a condition.
#pragma once

#include "api/canary_policy.h"
#include "api/release.h"
#include "api/views.h"
#include "base/json.h"
#include "base/result.h"

namespace weir {

Result<ObjectMeta> decode_meta(const Json& object);

// Defaults as in the CRD are applied, so that a stored object from an older schema and a pinned spec read the same.
// Semantic checks that the schema cannot express (or that its CEL rules mirror) are made here: an unknown source, falling steps …
Result<CanaryPolicySpec> decode_policy_spec(const Json& spec);
Result<CanaryPolicy> decode_policy(const Json& object);
Json encode_policy_status(const CanaryPolicy& policy);

Result<ReleaseSpec> decode_release_spec(const Json& spec, const std::string& name);
Result<Release> decode_release(const Json& object);
ReleaseStatus decode_release_status(
    const Json& status);  // lenient: an unreadable part of it is as if absent
Json encode_release_status(const ReleaseStatus& status);

// For metadata.ownerReferences of its children.
Json owner_reference(const Release& release);

std::string_view to_string(Phase phase);
Json encode_condition(const Condition& condition);

Result<ReplicaSetView> decode_replica_set(const Json& object);
Result<EndpointSliceView> decode_endpoint_slice(const Json& object);
Result<PodView> decode_pod(const Json& object);
Result<RawObject> decode_raw(const Json& object);

}  // namespace weir
