// Planted bugs of pipelines, as those of releases (bugs.h).
#pragma once

#include <memory>

#include "pipeline/run_observer.h"
#include "pipeline/stage_job.h"
#include "sim/bugs.h"

namespace weir::sim {

// RunReconciler with its steps, and a twist between them. References must outlive it.
std::unique_ptr<Reconciler> buggy_run_reconciler(const RunObserver& observer,
                                                 const JobSettings& settings, Bug bug);

}  // namespace weir::sim
