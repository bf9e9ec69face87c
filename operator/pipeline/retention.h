#pragma once

#include <memory>
#include <vector>

#include "api/pipeline.h"
#include "api/pipeline_run.h"

namespace weir {

// The runs of one pipeline that it keeps no longer, oldest first. Failed ones are counted apart, so that many good runs do not push
// out the bad one that somebody wants to look at; none goes that has not ended, or that one which has not ended takes over from. Pure.
std::vector<std::shared_ptr<const PipelineRun>> expired_runs(
    const Retention& retention, const std::vector<std::shared_ptr<const PipelineRun>>& runs,
    WallTime now);

}  // namespace weir
