#pragma once

#include "delivery/release_caches.h"
#include "runtime/reconciler.h"

namespace weir {

// Says on a CanaryPolicy whether it can be used, and if not, which field is wrong.
class PolicyReconciler final : public Reconciler {
 public:
  explicit PolicyReconciler(const ReleaseCaches& caches) : caches_(caches) {}
  std::string_view name() const override { return "canarypolicy"; }
  Plan plan(const ObjectKey& key, WallTime now, const Error* refused) const override;

 private:
  const ReleaseCaches& caches_;
};

}  // namespace weir
