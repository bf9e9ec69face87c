#include <cmath>
#include <cstdio>

#include "bench/judge/cells.h"
#include "bench/judge/release.h"
#include "bench/judge/tables.h"

namespace weir::bench {
namespace {

struct Summary {
  std::vector<double> judge;
  std::vector<double> limit;
  double judge_share = 0;  // found
  double limit_share = 0;
  int early = 0;
};

Summary summarize(const Options& options, const Question& question, const Cell& cell,
                  const Course& course) {
  std::vector<Found> found(static_cast<std::size_t>(options.runs));
  run_all(options, options.runs, [&](int run) {
    Rng rng(cell.seed() + 1, static_cast<std::uint64_t>(run));
    found[static_cast<std::size_t>(run)] = find(options, question, cell, course, rng);
    return 0.0;
  });
  Summary summary;
  for (const auto& one : found) {
    if (one.early) {
      ++summary.early;
      continue;
    }
    summary.judge.push_back(one.judge);
    summary.limit.push_back(one.limit);
    summary.judge_share += std::isfinite(one.judge) ? 1 : 0;
    summary.limit_share += std::isfinite(one.limit) ? 1 : 0;
  }
  summary.judge_share /= static_cast<double>(summary.judge.size());
  summary.limit_share /= static_cast<double>(summary.limit.size());
  return summary;
}

// Counts cells and keeps the worst; a cell is judged where the limit finds 90 %.
struct Score {
  double times;  // allowed, of the limit
  int judged = 0, within = 0, within_aim = 0;
  double worst = 0;

  // Prints the row.
  void add(const Cell& cell, const Summary& seen) {
    const double one = cell.rps * cell.weight * cell.interval;
    const double judge = quantile(seen.judge, 0.5), limit = quantile(seen.limit, 0.5);
    const double ratio = judge / limit, allowed = times * limit + one;
    std::printf("%-6g %4g %4g %3g %4g | %5.1f %9.0f %9.0f | %5.1f %9.0f %9.0f", cell.p0 * 100,
                cell.rps, cell.weight * 100, cell.interval, cell.factor, seen.limit_share * 100,
                limit, quantile(seen.limit, 0.95), seen.judge_share * 100, judge,
                quantile(seen.judge, 0.95));
    if (seen.limit_share >= 0.9) {
      ++judged;
      within += judge <= allowed ? 1 : 0;
      within_aim += judge <= 1.5 * limit + one ? 1 : 0;
      worst = std::max(worst, (judge - one) / limit);
      std::printf(" | %5.2f %5.2f%s", ratio, (judge - one) / limit, judge <= allowed ? "" : " !");
    }
    std::printf("\n");
    std::fflush(stdout);
  }

  bool print() const {
    std::printf(
        "\n%d of %d judged cells within %g x limit + one interval, %d within 1.5 x; worst "
        "(median - interval) / limit: %.2f\n",
        within, judged, times, within_aim, worst);
    return within == judged;
  }
};

void print_head() {
  std::printf("%-6s %4s %4s %3s %4s | %5s %9s %9s | %5s %9s %9s | %5s %5s\n", "p0 %", "rps", "w %",
              "s", "x", "limit", "median", "p95", "judge", "median", "p95", "ratio", "-int.");
}

}  // namespace

bool print_detection(const Options& options) {
  std::printf(
      "\n## 2. Canary requests until rollback, %d runs a cell: %% found within the horizon, "
      "median, 95 %%\n\n",
      options.runs);
  print_head();
  Score score{2};
  for (const double factor : {2.0, 5.0, 10.0})
    for (const Cell& cell : cells_of(options, factor))
      score.add(cell, summarize(options, {}, cell, {}));
  return score.print();
}

bool print_late(const Options& options) {
  std::printf(
      "\n## 3. Late regressions, 5 times stable's rate: canary requests after the change\n");
  std::printf("\nEqual for 10 minutes\n\n");
  print_head();
  Score score{3};
  for (const Cell& cell : cells_of(options, 5))
    score.add(cell, summarize(options, {}, cell, {600, {}}));
  std::printf("\nEqual at 5 and 25 %%, two minutes each, 5 times from 50 %% on\n\n");
  print_head();
  for (const Cell& cell : cells_of(options, 5))
    if (cell.weight == 0.5) score.add(cell, summarize(options, {}, cell, {0, {0.05, 0.25}}));
  return score.print();
}

bool print_margins(const Options& options) {
  bool kept = true;
  for (const auto& [name, question] :
       {std::pair{"versusStable, times 1.5 and plus 0.1 point", Question{{1.5, 0.001}, 0}},
        std::pair{"atMost 5 %", Question{{}, 0.05}}}) {
    std::printf("\n## 4. %s: canary requests until rollback\n\n", name);
    print_head();
    Score score{2};
    int above = 0, healthy = 0;
    double most = 0;
    for (const double factor : {1.0, 2.0, 5.0, 10.0})
      for (const Cell& cell : cells_of(options, factor)) {
        if (question.is_broken_by(cell)) {
          score.add(cell, summarize(options, question, cell, {}));
          continue;
        }
        int hits = 0;
        for (const double hit : run_all(options, options.runs, [&, &asked = question](int run) {
               Rng rng(cell.seed() + 2, static_cast<std::uint64_t>(run));
               return rolls_back(options, asked, cell, rng) ? 1.0 : 0.0;
             }))
          hits += hit > 0 ? 1 : 0;
        ++healthy;
        above += is_above(options, hits, options.runs) ? 1 : 0;
        most = std::max(most, 100.0 * hits / options.runs);
      }
    kept = score.print() && above == 0 && kept;
    std::printf(
        "healthy or inside the margin: %d cells, %d above the bound, worst %.2f %% false "
        "rollbacks\n",
        healthy, above, most);
  }
  return kept;
}

}  // namespace weir::bench
