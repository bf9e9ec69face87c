// What the server accepts and still will not do what its author wants. Pure.
#pragma once

#include <string>
#include <vector>

#include "api/canary_policy.h"
#include "api/release.h"

namespace weir {

struct Advice {
  std::string path;
  std::string message;
};

std::vector<Advice> policy_advice(const CanaryPolicySpec& policy);
std::vector<Advice> release_advice(const ReleaseSpec& release);
// Of the Release, about the two together.
std::vector<Advice> joint_advice(const ReleaseSpec& release, const CanaryPolicySpec& policy);

}  // namespace weir
