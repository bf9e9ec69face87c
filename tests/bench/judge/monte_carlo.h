// Many runs on several threads, and what is said of them.
#pragma once

#include <functional>
#include <vector>

namespace weir::bench {

struct Options {
  int healthy_runs = 10'000;  // a cell
  int runs = 2'000;           // a cell, of everything else
  int threads = 2;
  double history_hours = 24;  // of stable, before the release
  bool few_cells = false;
  bool bursts = true;  // beside independent errors
  double alpha = 0.01;
  double horizon = 3600;  // seconds
};

// Calls run(0) to run(count - 1), each once, and gives their results in that order.
std::vector<double> run_all(const Options& options, int count,
                            const std::function<double(int)>& run);

// Infinite values (never found) are values as any other. 0 <= share <= 1.
double quantile(std::vector<double> values, double share);

// So many false rollbacks of so many runs that more than alpha of all are, which is wrong with a chance of 0.1 %.
bool is_above(const Options& options, int rollbacks, int runs);

}  // namespace weir::bench
