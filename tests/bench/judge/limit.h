// The limit to compare with: the growth-optimal sequential test that knows both true rates and the split of the traffic.
#pragma once

#include "bench/judge/trace.h"
#include "stats/versus_stable.h"

namespace weir::bench {

// The likelihood ratio of the true rates against the rates nearest to them (in Kullback-Leibler distance, weighted by traffic) that the
// margin allows; of two lines, the nearer one. No test with the same false alarms grows faster on average.
class Limit {
 public:
  static Limit versus_stable(const Cell& truth, const Margin& margin);
  static Limit at_most(const Cell& truth, double bound);

  void add(const Sample& sample);
  double log_evidence() const { return sum_; }

 private:
  Limit(double canary, double stable, double canary_null, double stable_null);

  double canary_bad_, canary_good_, stable_bad_, stable_good_;
  double sum_ = 0;
};

}  // namespace weir::bench
