// All that a decision about one run is made of.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/job_views.h"
#include "api/pipeline.h"
#include "api/pipeline_run.h"

namespace weir {

struct RunSnapshot {
  std::shared_ptr<const PipelineRun> run;
  std::shared_ptr<const Pipeline> pipeline;  // null: it is not there
  std::string kept_spec;  // the Pipeline's spec as this run keeps it; "" = not yet
  std::vector<std::shared_ptr<const JobView>> jobs;        // that the run owns
  std::vector<std::shared_ptr<const StagePodView>> pods;   // of those Jobs
  std::vector<std::shared_ptr<const PipelineRun>> others;  // of the same pipeline, in any phase
};

}  // namespace weir
