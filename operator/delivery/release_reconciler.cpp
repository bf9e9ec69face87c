#include "delivery/release_reconciler.h"

#include "delivery/giving_back.h"
#include "delivery/release_course.h"
#include "delivery/release_plan.h"

namespace weir {

Plan ReleaseReconciler::plan(const ObjectKey& key, WallTime now, const Error* refused) const {
  const auto snapshot = observer_.observe(key);
  if (!snapshot) return {};
  // What is being deleted belongs to the garbage collector: all children are owned, and what was adopted is given back first.
  if (snapshot->release->meta.deleting)
    return must_give_back(*snapshot) ? give_back(*snapshot, now, refused) : Plan{};
  return plan_release(*snapshot, chart_course(*snapshot, now), now, refused);
}

}  // namespace weir
