#include "pipeline/pipeline_reconciler.h"

#include "api/ready_condition.h"
#include "pipeline/retention.h"

namespace weir {
namespace {

constexpr std::size_t kMaxDeletions = 20;     // of one pass
constexpr milliseconds kAgeCheck{3'600'000};  // whether a run has become too old

void say_whether_usable(const Pipeline& pipeline, WallTime now, Plan& plan) {
  Pipeline after = pipeline;
  after.observed_generation = pipeline.meta.generation;
  const Error* refusal = pipeline.spec ? nullptr : &pipeline.spec.error();
  after.conditions = {ready_condition(refusal, pipeline.meta.generation, pipeline.conditions, now)};
  auto status = encode_pipeline_status(after);
  if (status != encode_pipeline_status(pipeline))
    plan.actions.emplace_back(
        PatchStatus{kinds::kPipeline, pipeline.meta.key, pipeline.meta.uid, std::move(status)});
}

}  // namespace

Plan PipelineReconciler::plan(const ObjectKey& key, WallTime now, const Error* /*refused*/) const {
  const auto pipeline = caches_.pipelines.find(key);
  if (!pipeline || pipeline->meta.deleting) return {};
  Plan plan;
  say_whether_usable(*pipeline, now, plan);
  const auto runs = caches_.runs.in_group(to_string(key));
  if (!pipeline->spec || runs.empty()) return plan;
  std::size_t deletions = 0;
  for (const auto& run : expired_runs(pipeline->spec->retention, runs, now)) {
    if (++deletions > kMaxDeletions) {
      plan.look_again_at(now);
      break;
    }
    plan.actions.emplace_back(DeleteObject{kinds::kPipelineRun, run->meta.key, run->meta.uid});
  }
  plan.look_again_at(now + kAgeCheck);
  return plan;
}

}  // namespace weir
