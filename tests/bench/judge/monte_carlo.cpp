#include "bench/judge/monte_carlo.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>

#include "stats/random_numbers.h"

namespace weir::bench {
namespace {

double tail_from(int hits, int runs, double p) {
  double sum = 0;
  for (int k = hits; k <= runs; ++k) {
    const double log_choices = log_factorial(runs) - log_factorial(k) - log_factorial(runs - k);
    const double term = std::exp(log_choices + k * std::log(p) + (runs - k) * std::log1p(-p));
    sum += term;
    if (term < sum * 1e-12 && k > runs * p) break;
  }
  return sum;
}

}  // namespace

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

double clopper_pearson_low(int hits, int runs) {
  if (hits == 0) return 0;
  double low = 0, high = static_cast<double>(hits) / runs;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (tail_from(hits, runs, middle) < 0.001 ? low : high) = middle;
  }
  return low;
}

}  // namespace weir::bench
