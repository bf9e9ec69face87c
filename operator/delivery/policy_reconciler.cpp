#include "delivery/policy_reconciler.h"

#include "api/codec.h"
#include "api/ready_condition.h"
#include "kube/kinds.h"

namespace weir {

Plan PolicyReconciler::plan(const ObjectKey& key, WallTime now, const Error* /*refused*/) const {
  const auto policy = caches_.policies.find(key);
  if (!policy || policy->meta.deleting) return {};
  CanaryPolicy after = *policy;
  after.observed_generation = policy->meta.generation;
  const Error* refusal = policy->spec ? nullptr : &policy->spec.error();
  after.conditions = {ready_condition(refusal, policy->meta.generation, policy->conditions, now)};
  Plan plan;
  const Json status = encode_policy_status(after);
  if (status != encode_policy_status(*policy))
    plan.actions.emplace_back(PatchStatus{kinds::kCanaryPolicy, key, policy->meta.uid, status});
  return plan;
}

}  // namespace weir
