#include <cstdio>

#include "bench/judge/cells.h"
#include "bench/judge/release.h"
#include "bench/judge/tables.h"

namespace weir::bench {
namespace {

struct Column {
  const char* name;
  Bursts bursts;
  bool held;  // the bound is asked
};

std::vector<Column> columns(const Options& options) {
  using Kind = Bursts::Kind;
  std::vector<Column> all{{"independent", {}, true}};
  if (!options.bursts) return all;
  for (const auto& [kind, names] :
       {std::pair{Kind::Shared,
                  std::array{"a 10s/5", "a 10s/20", "a 10s/50", "a 60s/5", "a 60s/20", "a 60s/50"}},
        std::pair{Kind::Independent, std::array{"b 10s/5", "b 10s/20", "b 10s/50", "b 60s/5",
                                                "b 60s/20", "b 60s/50"}}}) {
    std::size_t i = 0;
    for (const double seconds : {10.0, 60.0})
      for (const double index : {5.0, 20.0, 50.0}) {
        const bool asked = kind == Kind::Shared || seconds < 60 || index < 50;
        all.push_back({names[i++], {kind, seconds, index}, asked});
      }
  }
  return all;
}

int count_rollbacks(const Options& options, const Cell& cell) {
  int hits = 0;
  for (const double hit : run_all(options, options.healthy_runs, [&](int run) {
         Rng rng(cell.seed(), static_cast<std::uint64_t>(run));
         return rolls_back(options, {}, cell, rng) ? 1.0 : 0.0;
       }))
    hits += hit > 0 ? 1 : 0;
  return hits;
}

}  // namespace

bool print_false_rollbacks(const Options& options) {
  const auto all = columns(options);
  std::printf(
      "\n## 1. False rollbacks of healthy releases, %% of %d a cell; stable known for %g h\n",
      options.healthy_runs, options.history_hours);
  std::printf(
      "(a) the same bursts on both versions, (b) independent ones; seconds on / index over "
      "10 s\n! significantly above %g %%; (!) too, where the bound is not asked\n\n",
      options.alpha * 100);
  std::printf("%-6s %4s %4s %3s", "p0 %", "rps", "w %", "s");
  for (const auto& column : all) std::printf(" %11s", column.name);
  std::printf("\n");
  int broken = 0, held = 0;
  for (Cell cell : cells_of(options, 1)) {
    std::printf("%-6g %4g %4g %3g", cell.p0 * 100, cell.rps, cell.weight * 100, cell.interval);
    for (const auto& column : all) {
      cell.bursts = column.bursts;
      const int hits = count_rollbacks(options, cell);
      const bool above = is_above(options, hits, options.healthy_runs);
      held += column.held ? 1 : 0;
      broken += above && column.held ? 1 : 0;
      std::printf(" %8.2f%-3s", 100.0 * hits / options.healthy_runs,
                  above ? (column.held ? "!" : "(!)") : "");
    }
    std::printf("\n");
    std::fflush(stdout);
  }
  std::printf("\n%d of %d cells above the bound\n", broken, held);
  return broken == 0;
}

}  // namespace weir::bench
