#pragma once

#include "pipeline/run_observer.h"
#include "pipeline/stage_job.h"
#include "runtime/reconciler.h"

namespace weir {

// observe → chart the course → plan. Thread-safe; references must outlive it.
class RunReconciler final : public Reconciler {
 public:
  RunReconciler(const RunObserver& observer, JobSettings settings)
      : observer_(observer), settings_(std::move(settings)) {}
  std::string_view name() const override { return "pipelinerun"; }
  Plan plan(const ObjectKey& key, WallTime now, const Error* refused) const override;

 private:
  const RunObserver& observer_;
  JobSettings settings_;
};

}  // namespace weir
