#pragma once

#include "delivery/release_observer.h"
#include "runtime/reconciler.h"

namespace weir {

// observe → chart the course → plan. Thread-safe; references must outlive it.
class ReleaseReconciler final : public Reconciler {
 public:
  explicit ReleaseReconciler(const ReleaseObserver& observer) : observer_(observer) {}
  std::string_view name() const override { return "release"; }
  Plan plan(const ObjectKey& key, WallTime now, const Error* refused) const override;

 private:
  const ReleaseObserver& observer_;
};

}  // namespace weir
