// The Roles that let Weir read the Secrets which CanaryPolicies and Releases name, and copy those of Releases. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/lint_findings.h"
#include "kube/object.h"

namespace weir {

// YAML for kubectl apply: for each namespace a Role with the names, and its binding to Weir's ServiceAccount. Objects without a
// namespace are taken to be in `fallback`. "" when none names a Secret. Error: Parse or Invalid, with the file.
Result<std::string> rbac_for(const std::vector<LintText>& texts, const std::string& fallback,
                             const ObjectKey& account);

}  // namespace weir
