#include "replay/poisson_requests.h"

#include <algorithm>

namespace weir {
namespace {

double value_of(const Counts& counter, const std::string& role) {
  if (role == roles::kBad || role == roles::kStableBad) return counter.bad;
  const bool is_good = role == roles::kGood || role == roles::kStableGood;
  return is_good ? counter.total - counter.bad : counter.total;
}

}  // namespace

void PoissonRequests::draw(Counts& counter, double requests, double bad_share) {
  const double bad = rng_.poisson(requests * bad_share);
  counter.bad += bad;
  counter.total += bad + rng_.poisson(requests * (1 - bad_share));
}

void PoissonRequests::pass(WallTime until, int weight) {
  if (now_) {
    const double requests =
        per_second_ * std::max(0.0, std::chrono::duration<double>(until - *now_).count());
    const double share = weight / 100.0;
    const double canary_bad = std::min(1.0, bad_share_ * factor_);
    draw(canary_, requests * share, canary_bad);
    draw(stable_, requests * (1 - share), bad_share_);
    hurt_ += requests * share * (canary_bad - bad_share_);
  }
  now_ = until;
}

Result<std::vector<MetricSample>> PoissonRequests::answer(const ReleaseQuestion& question) {
  std::vector<MetricSample> samples;
  for (const auto& expression : question.expressions) {
    const auto& role = expression.role;
    const bool of_stable =
        role == roles::kStableBad || role == roles::kStableGood || role == roles::kStableTotal;
    const auto& counter = of_stable ? stable_ : canary_;
    samples.push_back({role, "", value_of(counter, role), *now_});
  }
  return samples;
}

// The service has been there for long, with stable's errors and all of the traffic: the judge has seen that they come one by one.
std::vector<MetricSample> PoissonRequests::past(const ReleaseQuestion& question) {
  std::vector<MetricSample> samples;
  Counts counter;
  const auto minute = std::chrono::minutes(1);
  for (auto at = question.past_span.from; at <= question.past_span.to; at += minute) {
    draw(counter, per_second_ * 60, bad_share_);
    for (const auto& expression : question.past)
      samples.push_back({expression.role, "", value_of(counter, expression.role), at});
  }
  return samples;
}

}  // namespace weir
