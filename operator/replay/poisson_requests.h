// Requests of a service with two versions: they arrive as a Poisson process, are split by weight, and are bad independently of each
// other. One objective's counters of both versions.
#pragma once

#include "replay/staged_release.h"
#include "stats/counts.h"
#include "stats/random_numbers.h"

namespace weir {

// A value, like the release that it is for. Not thread-safe.
class PoissonRequests final : public StagedMetrics {
 public:
  // Per second, of both versions together; the share of bad ones at stable.
  PoissonRequests(double per_second, double bad_share, const Rng& rng)
      : per_second_(per_second), bad_share_(bad_share), rng_(rng) {}

  // From now on the canary's share of bad ones is so many times stable's; at most 1 in all.
  void set_factor(double factor) { factor_ = factor; }

  void pass(WallTime until, int weight) override;
  Result<std::vector<MetricSample>> answer(const ReleaseQuestion& question) override;
  std::vector<MetricSample> past(const ReleaseQuestion& question) override;

  // Since the beginning.
  double canary_requests() const { return canary_.total; }
  // Bad answers of the canary beyond what stable would have given: their mean, not what was drawn.
  double hurt() const { return hurt_; }

 private:
  void draw(Counts& counter, double requests, double bad_share);

  double per_second_;
  double bad_share_;
  double factor_ = 1;
  Rng rng_;
  std::optional<WallTime> now_;
  Counts canary_;  // cumulative
  Counts stable_;
  double hurt_ = 0;
};

}  // namespace weir
