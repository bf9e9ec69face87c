#pragma once

#include <optional>

#include "pipeline/pipeline_caches.h"
#include "pipeline/run_snapshot.h"

namespace weir {

// Reads caches only; no I/O. References must outlive it. Thread-safe.
class RunObserver {
 public:
  explicit RunObserver(const PipelineCaches& caches) : caches_(caches) {}

  // Nothing when the run is not there.
  std::optional<RunSnapshot> observe(const ObjectKey& key) const;

 private:
  const PipelineCaches& caches_;
};

}  // namespace weir
