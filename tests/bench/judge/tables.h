// The tables of the benchmark; each prints itself and says whether what it holds was kept.
#pragma once

#include "bench/judge/monte_carlo.h"

namespace weir::bench {

bool print_false_rollbacks(const Options& options);
bool print_detection(const Options& options);
bool print_late(const Options& options);
bool print_margins(const Options& options);
bool print_peers(const Options& options);

}  // namespace weir::bench
