#include "bench/judge/monte_carlo.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>

#include "stats/intervals.h"

namespace weir::bench {

std::vector<double> run_all(const Options& options, int count,
                            const std::function<double(int)>& run) {
  std::vector<double> results(static_cast<std::size_t>(count));
  std::atomic<int> next{0};
  const auto work = [&] {
    for (int i = next++; i < count; i = next++) results[static_cast<std::size_t>(i)] = run(i);
  };
  std::vector<std::jthread> threads;
  for (int i = 1; i < options.threads; ++i) threads.emplace_back(work);
  work();
  threads.clear();
  return results;
}

double quantile(std::vector<double> values, double share) {
  const double at = std::ceil(share * static_cast<double>(values.size())) - 1;
  const auto place = values.begin() + static_cast<std::ptrdiff_t>(std::max(0.0, at));
  std::nth_element(values.begin(), place, values.end());
  return *place;
}

bool is_above(const Options& options, int rollbacks, int runs) {
  return least_chance(rollbacks, runs, 0.001).value() > options.alpha;
}

}  // namespace weir::bench
