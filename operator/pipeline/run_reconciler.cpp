#include "pipeline/run_reconciler.h"

#include "pipeline/run_plan.h"

namespace weir {

Plan RunReconciler::plan(const ObjectKey& key, WallTime now, const Error* refused) const {
  const auto snapshot = observer_.observe(key);
  // What is being deleted belongs to the garbage collector: all that a run makes it owns.
  if (!snapshot || snapshot->run->meta.deleting) return {};
  return decide_run(*snapshot, settings_, now, refused);
}

}  // namespace weir
