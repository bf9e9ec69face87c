#pragma once

#include <string_view>

#include "base/result.h"
#include "runtime/plan.h"

namespace weir {

// What one kind's controller thinks. Called from several threads, never for one key at the same time.
class Reconciler {
 public:
  virtual ~Reconciler() = default;
  virtual std::string_view name() const = 0;
  // Observes caches only and decides; no I/O. `refused` is the last write that the server refused for this key (Invalid,
  // Forbidden), if the pass before ended with it.
  virtual Plan plan(const ObjectKey& key, WallTime now, const Error* refused) const = 0;
};

}  // namespace weir
