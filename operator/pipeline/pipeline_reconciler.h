#pragma once

#include "pipeline/pipeline_caches.h"
#include "runtime/reconciler.h"

namespace weir {

// Says on a Pipeline whether it can be run, and if not, which field is wrong; deletes the runs that it keeps no longer.
class PipelineReconciler final : public Reconciler {
 public:
  explicit PipelineReconciler(const PipelineCaches& caches) : caches_(caches) {}
  std::string_view name() const override { return "pipeline"; }
  Plan plan(const ObjectKey& key, WallTime now, const Error* refused) const override;

 private:
  const PipelineCaches& caches_;
};

}  // namespace weir
