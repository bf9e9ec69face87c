// The stores that decisions about Pipelines and their runs read.
#pragma once

#include "api/job_views.h"
#include "api/pipeline.h"
#include "api/pipeline_run.h"
#include "pipeline/run_plan.h"
#include "runtime/store.h"

namespace weir {

// "namespace/name" of the run an object belongs to by its label; "" = to none.
std::string run_group(const ObjectMeta& meta);

// "namespace/name" of the Pipeline that a run names; "" = none.
std::string pipeline_group(const PipelineRun& run);

struct PipelineCaches {
  Store<Pipeline> pipelines{};
  Store<PipelineRun> runs{pipeline_group};
  Store<JobView> jobs{[](const auto& o) { return run_group(o.meta); }};
  Store<StagePodView> pods{[](const auto& o) { return run_group(o.meta); }};
  Store<KeptSpec> kept_specs{};
};

}  // namespace weir
