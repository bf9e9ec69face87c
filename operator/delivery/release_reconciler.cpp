#include "delivery/release_reconciler.h"

#include "delivery/release_course.h"
#include "delivery/release_plan.h"

namespace weir {

Plan ReleaseReconciler::plan(const ObjectKey& key, WallTime now, const Error* refused) const {
  const auto snapshot = observer_.observe(key);
  // What is being deleted belongs to the garbage collector: all children are owned.
  if (!snapshot || snapshot->release->meta.deleting) return {};
  return plan_release(*snapshot, chart_course(*snapshot, now), now, refused);
}

}  // namespace weir
