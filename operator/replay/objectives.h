#pragma once

#include <string>
#include <vector>

#include "api/canary_policy.h"

namespace weir {

// The policy with those of its objectives only, as strict with each of them as before: the chance of a false rollback is still shared
// with the ones that are left out.
CanaryPolicySpec with_objectives(const CanaryPolicySpec& policy,
                                 const std::vector<std::string>& names);

}  // namespace weir
