#include "replay/objectives.h"

#include <algorithm>

#include "delivery/judge.h"

namespace weir {

CanaryPolicySpec with_objectives(const CanaryPolicySpec& policy,
                                 const std::vector<std::string>& names) {
  CanaryPolicySpec kept = policy;
  std::erase_if(kept.objectives, [&](const Objective& objective) {
    return std::find(names.begin(), names.end(), objective.name) == names.end();
  });
  // What is needed is (number of tests) / maxFalseRollback.
  kept.judge.max_false_rollback *= needed_evidence(kept) / needed_evidence(policy);
  return kept;
}

}  // namespace weir
