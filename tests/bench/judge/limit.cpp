#include "bench/judge/limit.h"

#include <algorithm>
#include <cmath>

namespace weir::bench {
namespace {

double divergence(double p, double q) {
  return p * std::log(p / q) + (1 - p) * std::log((1 - p) / (1 - q));
}

struct Nearest {
  double stable;    // on the line canary = times · stable + plus
  double distance;  // a request
};

// The distance is convex along the line; golden section in the logarithm.
Nearest nearest(const Cell& truth, double times, double plus) {
  const double canary = truth.p0 * truth.factor;
  const auto distance = [&](double log_stable) {
    const double stable = std::exp(log_stable);
    return truth.weight * divergence(canary, times * stable + plus) +
           (1 - truth.weight) * divergence(truth.p0, stable);
  };
  const double ratio = (std::sqrt(5.0) - 1) / 2;
  double low = std::log(truth.p0);
  double high = std::log(std::min(canary, (0.999999 - plus) / times));
  for (int i = 0; i < 200; ++i) {
    const double left = high - ratio * (high - low);
    const double right = low + ratio * (high - low);
    (distance(left) < distance(right) ? high : low) =
        distance(left) < distance(right) ? right : left;
  }
  return {std::exp(low), distance(low)};
}

}  // namespace

Limit::Limit(double canary, double stable, double canary_null, double stable_null)
    : canary_bad_(std::log(canary / canary_null)),
      canary_good_(std::log((1 - canary) / (1 - canary_null))),
      stable_bad_(std::log(stable / stable_null)),
      stable_good_(std::log((1 - stable) / (1 - stable_null))) {}

Limit Limit::versus_stable(const Cell& truth, const Margin& margin) {
  const Nearest by_ratio = nearest(truth, margin.times, 0);
  const Nearest by_sum = nearest(truth, 1, margin.plus);
  const bool ratio = margin.plus <= 0 || (margin.times > 1 && by_ratio.distance < by_sum.distance);
  const double stable = ratio ? by_ratio.stable : by_sum.stable;
  const double canary = ratio ? margin.times * stable : stable + margin.plus;
  return Limit(truth.p0 * truth.factor, truth.p0, canary, stable);
}

Limit Limit::at_most(const Cell& truth, double bound) {
  return Limit(truth.p0 * truth.factor, truth.p0, bound, truth.p0);
}

void Limit::add(const Sample& sample) {
  sum_ +=
      sample.canary.bad * canary_bad_ + (sample.canary.total - sample.canary.bad) * canary_good_ +
      sample.stable.bad * stable_bad_ + (sample.stable.total - sample.stable.bad) * stable_good_;
}

}  // namespace weir::bench
