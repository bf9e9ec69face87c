#include "delivery/ports.h"

#include <fmt/format.h>

#include <algorithm>

#include "delivery/release_course.h"

namespace weir {

int pods_of_share(int weight, int replicas, int stable) {
  if (weight <= 0 || replicas <= 0) return 0;
  if (weight >= 100) return replicas;
  return std::clamp(weight * stable / (100 - weight), 1, replicas);
}

int TrafficRouter::pods_for(int weight, int replicas, int /*stable*/) const {
  return weir::pods_for(weight, replicas);
}

std::size_t most_series(const std::vector<MetricExpression>& expressions) {
  return kMaxSeries * std::max<std::size_t>(1, expressions.size() / 2);
}

Error too_many_series() {
  return {ErrorKind::Invalid, fmt::format("more than {} series: aggregate the query", kMaxSeries)};
}

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
