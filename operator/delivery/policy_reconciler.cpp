#include "delivery/policy_reconciler.h"

#include "api/codec.h"
#include "kube/kinds.h"

namespace weir {

Plan PolicyReconciler::plan(const ObjectKey& key, WallTime now, const Error* /*refused*/) const {
  const auto policy = caches_.policies.find(key);
  if (!policy || policy->meta.deleting) return {};
  const bool usable = policy->spec.has_value();
  Condition ready{"Ready",
                  usable ? "True" : "False",
                  usable ? "Usable" : "InvalidSpec",
                  usable ? "" : policy->spec.error().message,
                  policy->meta.generation,
                  now};
  for (const auto& old : policy->conditions) {
    if (old.type == ready.type && old.status == ready.status)
      ready.last_transition = old.last_transition;
  }
  CanaryPolicy after = *policy;
  after.observed_generation = policy->meta.generation;
  after.conditions = {ready};
  Plan plan;
  const Json status = encode_policy_status(after);
  if (status != encode_policy_status(*policy))
    plan.actions.emplace_back(PatchStatus{kinds::kCanaryPolicy, key, policy->meta.uid, status});
  return plan;
}

}  // namespace weir
