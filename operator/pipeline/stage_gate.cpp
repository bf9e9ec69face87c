#include "pipeline/stage_gate.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/stage_graph.h"

namespace weir {
namespace {

// "" = it does not stand in the way of who comes after it.
std::string obstacle(StageOutcome outcome, bool used) {
  switch (outcome) {
    case StageOutcome::Failed: return "failed";
    case StageOutcome::Cancelled: return "was cancelled";
    case StageOutcome::Blocked: return "was skipped";
    case StageOutcome::PassedOver: return used ? "was skipped, and this one uses it" : "";
    case StageOutcome::Open:
    case StageOutcome::Succeeded: return "";
  }
  return "";
}

}  // namespace

const Stage* StageGates::find(const std::string& name) const {
  const auto found = std::find_if(stages_.begin(), stages_.end(),
                                  [&](const Stage& stage) { return stage.name == name; });
  return found == stages_.end() ? nullptr : &*found;
}

StageOutcome StageGates::outcome(const std::string& stage) {
  const auto known = known_.find(stage);
  if (known != known_.end()) return known->second;
  const auto outcome = look(stage);
  known_[stage] = outcome;
  return outcome;
}

StageOutcome StageGates::look(const std::string& name) {
  bool any = false;
  bool open = false;
  bool failed = false;
  bool cancelled = false;
  bool skipped = true;
  for (const auto& status : statuses_) {
    if (status.name != name) continue;
    any = true;
    open |= !has_ended(status.phase);
    failed |= status.phase == StagePhase::Failed;
    cancelled |= status.phase == StagePhase::Cancelled;
    skipped &= status.phase == StagePhase::Skipped;
  }
  if (!any || open) return StageOutcome::Open;
  if (failed) return StageOutcome::Failed;
  if (cancelled) return StageOutcome::Cancelled;
  if (!skipped) return StageOutcome::Succeeded;
  const auto* stage = find(name);
  return stage && gate(*stage).blocked.empty() ? StageOutcome::PassedOver : StageOutcome::Blocked;
}

Gate StageGates::gate(const Stage& stage) {
  const auto used = stages_used_by(stage);
  Gate gate;
  for (const auto& before : stages_before(stage)) {
    const auto found = outcome(before);
    if (found == StageOutcome::Open) gate.waits_for = before;
    const auto why = obstacle(found, used.contains(before));
    if (!why.empty() && gate.blocked.empty()) gate.blocked = fmt::format("{} {}", before, why);
  }
  gate.open = gate.waits_for.empty() && gate.blocked.empty();
  return gate;
}

Gate StageGates::final_gate(const Stage& stage) {
  Gate gate;
  for (const auto& name : stages_used_by(stage))
    if (outcome(name) != StageOutcome::Succeeded && gate.blocked.empty())
      gate.blocked = fmt::format("{} has no results", name);
  gate.open = gate.blocked.empty();
  return gate;
}

}  // namespace weir
