#include "cli/outcome.h"

#include <algorithm>

#include "cli/command.h"

namespace weir {
namespace {

bool is_observed(const Release& release) {
  return release.status.observed_generation >= release.meta.generation;
}

}  // namespace

std::optional<int> outcome_of(const Release& release) {
  if (!is_observed(release) || is_stuck(release)) return std::nullopt;
  switch (release.status.phase) {
    case Phase::Healthy: return exit_code::kOk;
    case Phase::RolledBack: return exit_code::kRolledBack;
    case Phase::AwaitingApproval: return exit_code::kAwaitingApproval;
    default: return std::nullopt;
  }
}

bool is_stuck(const Release& release) {
  const auto& conditions = release.status.conditions;
  return is_observed(release) &&
         std::any_of(conditions.begin(), conditions.end(), [](const Condition& condition) {
           return condition.type == "Stalled" && condition.status == "True";
         });
}

}  // namespace weir
