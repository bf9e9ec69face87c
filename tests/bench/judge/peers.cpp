#include <cmath>
#include <cstdio>
#include <limits>
#include <string>

#include "bench/judge/cells.h"
#include "bench/judge/release.h"
#include "bench/judge/tables.h"

namespace weir::bench {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

// A success rate over the last interval, held against a number. An interval without requests counts as good.
struct Rule {
  const char* name;
  double interval;     // seconds
  int failures;        // that many roll back
  double ticks_after;  // between the last failure and the rollback
  double most_bad;     // share of requests
};

// Argo Rollouts: failureLimit 3 is the fourth failure. Flagger: cumulative, and acted on one tick later.
constexpr Rule kRules[] = {
    {"Argo 5m/3 99%", 300, 4, 0, 0.01},    {"Argo 5m/3 95%", 300, 4, 0, 0.05},
    {"Argo 10s/0 99%", 10, 1, 0, 0.01},    {"Argo 10s/0 95%", 10, 1, 0, 0.05},
    {"Flagger 1m/5 99%", 60, 5, 1, 0.01},  {"Flagger 1m/5 95%", 60, 5, 1, 0.05},
    {"Flagger 10s/1 99%", 10, 1, 1, 0.01}, {"Flagger 10s/1 95%", 10, 1, 1, 0.05}};
constexpr std::size_t kJudges = std::size(kRules) + 2;  // and Weir, and the limit

struct Outcome {
  double seconds = kNever;  // to the rollback
  double hurt = 0;          // bad answers of the canary until then
};

class Peer {
 public:
  explicit Peer(const Rule& rule) : rule_(rule) {}

  // When it rolls back, infinite while it does not mean to.
  double add(const Counts& canary, double now) {
    bad_ += canary.bad;
    total_ += canary.total;
    if (std::fmod(now + 1e-6, rule_.interval) > 0.1) return at_;
    if (bad_ > total_ * rule_.most_bad && ++failures_ == rule_.failures)
      at_ = now + rule_.ticks_after * rule_.interval;
    bad_ = total_ = 0;
    return at_;
  }

 private:
  Rule rule_;
  double bad_ = 0, total_ = 0, at_ = kNever;
  int failures_ = 0;
};

using Outcomes = std::array<Outcome, kJudges>;

Outcomes one_release(const Options& options, const Cell& cell, Rng& rng) {
  Outcomes outcomes;
  std::vector<Peer> peers(std::begin(kRules), std::end(kRules));
  Trace trace(cell, rng);
  auto judge = VersusStable::create({}, Claim::Worse).value();
  const bool is_bad = cell.factor > 1;
  Cell bad_cell = cell;
  if (!is_bad) bad_cell.factor = 2;  // any: not asked
  Limit limit = Limit::versus_stable(bad_cell, {});
  double bad = 0;
  for (double now = cell.interval; now <= options.horizon; now += cell.interval) {
    const Sample sample = trace.next();
    bad += sample.canary.bad;
    const auto note = [&](std::size_t i, double at) {
      if (outcomes[i].seconds < now) return;
      outcomes[i].hurt = bad;
      if (at <= now) outcomes[i].seconds = now;
    };
    for (std::size_t i = 0; i < peers.size(); ++i) note(i, peers[i].add(sample.canary, now));
    judge.add(sample.canary, sample.stable).has_value();
    note(kJudges - 2, judge.evidence() * options.alpha >= 1 ? now : kNever);
    limit.add(sample);
    note(kJudges - 1, is_bad && limit.log_evidence() >= -std::log(options.alpha) ? now : kNever);
  }
  return outcomes;
}

void print_row(const Cell& cell, const char* name, const std::vector<Outcomes>& releases,
               std::size_t judge) {
  std::vector<double> seconds;
  double found = 0, hurt = 0;
  for (const auto& release : releases) {
    seconds.push_back(release[judge].seconds);
    found += std::isfinite(release[judge].seconds) ? 1 : 0;
    hurt += release[judge].hurt;
  }
  const auto runs = static_cast<double>(releases.size());
  std::printf("%-6g %4g %3g  %-18s %6.1f %8.0f %10.1f\n", cell.p0 * 100, cell.rps, cell.factor,
              name, 100 * found / runs, quantile(seconds, 0.5), hurt / runs);
}

}  // namespace

bool print_peers(const Options& options) {
  std::printf(
      "\n## 5. The rules of others on the same traces: one hour at 25 %%, samples of 5 s; x 1 "
      "is healthy\n%% rolled back, median seconds until then, mean bad answers of the "
      "canary until then (or in the hour)\nArgo Rollouts: interval/failureLimit, Flagger: "
      "interval/threshold, both with the success rate asked for.\nThe first requests of a "
      "release, no history, no lag of metrics, one objective.\n\n");
  std::printf("%-6s %4s %3s  %-18s %6s %8s %10s\n", "p0 %", "rps", "x", "rule", "back %", "seconds",
              "hurt");
  const int runs = options.runs / 2;
  for (const double p0 : {0.0005, 0.005, 0.02})
    for (const double rps : {5.0, 50.0, 500.0})
      for (const double factor : {1.0, 5.0, 10.0}) {
        const Cell cell{p0, factor, 0.25, rps, 5, {}};
        if (options.few_cells && rps == 50) continue;
        std::vector<Outcomes> releases(static_cast<std::size_t>(runs));
        run_all(options, runs, [&](int run) {
          Rng rng(cell.seed() + 3, static_cast<std::uint64_t>(run));
          releases[static_cast<std::size_t>(run)] = one_release(options, cell, rng);
          return 0.0;
        });
        for (std::size_t i = 0; i < std::size(kRules); ++i)
          print_row(cell, kRules[i].name, releases, i);
        print_row(cell, "Weir", releases, kJudges - 2);
        if (factor > 1) print_row(cell, "the limit", releases, kJudges - 1);
        std::fflush(stdout);
      }
  return true;
}

}  // namespace weir::bench
