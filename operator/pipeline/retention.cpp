#include "pipeline/retention.h"

#include <algorithm>
#include <set>
#include <string>
#include <tuple>

namespace weir {
namespace {

WallTime end_of(const PipelineRun& run) {
  return run.status.ended.value_or(run.meta.created.value_or(WallTime{}));
}

}  // namespace

std::vector<std::shared_ptr<const PipelineRun>> expired_runs(
    const Retention& retention, const std::vector<std::shared_ptr<const PipelineRun>>& runs,
    WallTime now) {
  std::set<std::string> needed;
  std::vector<std::shared_ptr<const PipelineRun>> ended;
  for (const auto& run : runs) {
    if (has_ended(run->status.phase) && !run->meta.deleting)
      ended.push_back(run);
    else if (run->spec)
      needed.insert(run->spec->rerun_of);
  }
  std::sort(ended.begin(), ended.end(), [](const auto& a, const auto& b) {
    return std::tuple(end_of(*a), a->meta.uid) > std::tuple(end_of(*b), b->meta.uid);
  });
  int good = 0;
  int failed = 0;
  std::vector<std::shared_ptr<const PipelineRun>> expired;
  for (const auto& run : ended) {
    const bool bad = run->status.phase == RunPhase::Failed;
    const bool beyond = bad ? ++failed > retention.failed_runs : ++good > retention.runs;
    const bool old = now - end_of(*run) > retention.age;
    if ((beyond || old) && !needed.contains(run->meta.key.name)) expired.push_back(run);
  }
  std::reverse(expired.begin(), expired.end());
  return expired;
}

}  // namespace weir
