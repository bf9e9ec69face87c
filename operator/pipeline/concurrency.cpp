#include "pipeline/concurrency.h"

#include <tuple>

namespace weir {
namespace {

// By the server's clock, in whole seconds, so the uid decides between those of one second.
bool is_older(const PipelineRun& a, const PipelineRun& b) {
  return std::tie(a.meta.created, a.meta.uid) < std::tie(b.meta.created, b.meta.uid);
}

bool has_begun(const PipelineRun& run) { return run.status.started.has_value(); }

// Who has not been looked at yet has no group in its status; it will look for itself.
bool is_rival(const PipelineRun& other, const PipelineRun& run, const std::string& group) {
  return other.meta.uid != run.meta.uid && !other.meta.deleting && !has_ended(other.status.phase) &&
         other.status.group == group;
}

}  // namespace

PlaceRuling place_of(const PipelineRun& run, const Concurrency& concurrency,
                     const std::string& group,
                     const std::vector<std::shared_ptr<const PipelineRun>>& others) {
  int newer = 0;
  int before = 0;
  PlaceRuling ruling;
  for (const auto& other : others) {
    if (!is_rival(*other, run, group)) continue;
    if (concurrency.policy == ConcurrencyPolicy::CancelOld && is_older(run, *other) &&
        ++newer >= concurrency.max)
      return {Place::Superseded, other->meta.key.name};
    if (has_begun(run) || !(has_begun(*other) || is_older(*other, run))) continue;
    ++before;
    ruling.by = other->meta.key.name;
  }
  if (before < concurrency.max) return {};
  ruling.place = concurrency.policy == ConcurrencyPolicy::Reject ? Place::Rejected : Place::Queued;
  return ruling;
}

}  // namespace weir
