// Releases judged by Weir, by the limit and by the rules of others.
#pragma once

#include <vector>

#include "bench/judge/limit.h"
#include "bench/judge/monte_carlo.h"

namespace weir::bench {

// What is asked: versusStable with `margin`, or atMost `bound` when it is above 0.
struct Question {
  Margin margin;
  double bound = 0;
  bool is_broken_by(const Cell& cell) const;
};

// Whether a release that is judged at `cell` from its first request on is rolled back within the horizon. Stable's dispersion is
// learnt from the hours before and meanwhile.
bool rolls_back(const Options& options, const Question& question, const Cell& cell, Rng& rng);

// Canary requests from `change` to the rollback; infinite when there is none within the horizon.
struct Found {
  double judge;
  double limit;
  bool early = false;  // rolled back before anything was wrong
};

// From `change` on, the canary's rate is cell.factor times stable's; before, they are equal. `steps`: weights of two minutes each come
// first and are equal, too. The limit starts at the change.
struct Course {
  double change = 0;  // seconds
  std::vector<double> steps;
};

Found find(const Options& options, const Question& question, const Cell& cell, const Course& course,
           Rng& rng);

}  // namespace weir::bench
