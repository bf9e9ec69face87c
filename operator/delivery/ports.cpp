#include "delivery/ports.h"

namespace weir {

const TrafficRouter* Plugins::router(TrafficType type) const {
  for (const auto* candidate : routers) {
    if (candidate->type() == type) return candidate;
  }
  return nullptr;
}

const MetricProvider* Plugins::provider(const MetricSource& source) const {
  for (const auto* candidate : providers) {
    if (candidate->serves(source)) return candidate;
  }
  return nullptr;
}

}  // namespace weir
