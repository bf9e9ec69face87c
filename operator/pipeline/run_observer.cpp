#include "pipeline/run_observer.h"

#include "pipeline/run_plan.h"

namespace weir {

std::string run_group(const ObjectMeta& meta) {
  const auto run = meta.labels.find(marks::kRun);
  return run == meta.labels.end() ? "" : to_string(ObjectKey{meta.key.ns, run->second});
}

std::string pipeline_group(const PipelineRun& run) {
  return run.spec ? to_string(ObjectKey{run.meta.key.ns, run.spec->pipeline}) : "";
}

std::optional<RunSnapshot> RunObserver::observe(const ObjectKey& key) const {
  RunSnapshot snapshot;
  snapshot.run = caches_.runs.find(key);
  if (!snapshot.run) return std::nullopt;
  const auto& run = *snapshot.run;
  const auto group = to_string(key);
  for (const auto& job : caches_.jobs.in_group(group))
    if (job->meta.owner_uid == run.meta.uid) snapshot.jobs.push_back(job);
  if (has_ended(run.status.phase)) return snapshot;
  if (run.spec) snapshot.pipeline = caches_.pipelines.find({key.ns, run.spec->pipeline});
  if (const auto kept = caches_.kept_specs.find({key.ns, kept_spec_name(run)}))
    if (is_kept_for(*kept, run)) snapshot.kept_spec = kept->text;
  snapshot.pods = caches_.pods.in_group(group);
  if (run.spec) snapshot.others = caches_.runs.in_group(pipeline_group(run));
  return snapshot;
}

}  // namespace weir
