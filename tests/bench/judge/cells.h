// The grid that all tables walk.
#pragma once

#include <vector>

#include "bench/judge/monte_carlo.h"
#include "bench/judge/trace.h"

namespace weir::bench {

// Rates 0.05, 0.5 and 2 %, 5, 50 and 500 requests a second, weights 5, 25 and 50 %, each second and each 5 s; few: a spread of them.
inline std::vector<Cell> cells_of(const Options& options, double factor) {
  std::vector<Cell> cells;
  for (const double p0 : {0.0005, 0.005, 0.02})
    for (const double rps : {5.0, 50.0, 500.0})
      for (const double weight : {0.05, 0.25, 0.5})
        for (const double interval : {1.0, 5.0}) {
          const bool is_one_of_few = rps != 50 && weight != 0.25 && interval == 5;
          if (!options.few_cells || is_one_of_few)
            cells.push_back(Cell{p0, factor, weight, rps, interval, {}});
        }
  return cells;
}

}  // namespace weir::bench
