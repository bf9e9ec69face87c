#include "replay/backtest.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/time_format.h"
#include "replay/objectives.h"
#include "replay/recorded_metrics.h"

namespace weir {
namespace {

constexpr double kSecondsAYear = 365.25 * 24 * 3600;
constexpr double kSecondsAWeek = 7.0 * 24 * 3600;
constexpr double kUsualReleasesAYear = 365;
constexpr int kMaxReplayPoints = 400;  // of one chart
// Points that are farther apart are gaps to the judge.
constexpr seconds kWidestStep{30};

// The first ratio objective, of which there is one; a Critical one, if there is one.
const Objective& main_objective(const CanaryPolicySpec& policy) {
  const auto rank = [](const Objective& objective) {
    if (!objective.ratio) return 0;
    return objective.severity == Severity::Critical ? 2 : 1;
  };
  return *std::max_element(policy.objectives.begin(), policy.objectives.end(),
                           [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
}

// Requests of the main objective, by time and revision.
class Ledger {
 public:
  Ledger(const RecordedObjective& objective, WallTime first) {
    total_ = served(objective.find("total")->second, first);
    const bool by_good = objective.count("good") != 0;
    for (const auto& one : total_) counts_[{one.at, one.revision}].total += one.requests;
    for (const auto& one : served(objective.find(by_good ? "good" : "bad")->second, first))
      counts_[{one.at, one.revision}].bad += one.requests;
    for (auto& [key, counts] : counts_) {
      if (by_good) counts.bad = counts.total - counts.bad;
      counts.bad = std::clamp(counts.bad, 0.0, counts.total);
    }
  }

  const std::vector<Served>& total() const { return total_; }

  // Within (from, until].
  Counts sum(const std::string& revision, WallTime from, WallTime until) const {
    Counts sum;
    const auto end = counts_.upper_bound({until, std::string(1, '\xff')});
    for (auto at = counts_.upper_bound({from, std::string(1, '\xff')}); at != end; ++at) {
      if (at->first.second != revision) continue;
      sum.bad += at->second.bad;
      sum.total += at->second.total;
    }
    return sum;
  }

 private:
  std::vector<Served> total_;
  std::map<std::pair<WallTime, std::string>, Counts> counts_;
};

double closeness(const StagedRelease& release) {
  double most = 0;
  for (const auto& judgement : release.judgements()) {
    if (judgement.evidence <= 1 || judgement.needed <= 1) continue;
    most = std::max(most, std::log(judgement.evidence) / std::log(judgement.needed));
  }
  return std::min(most, 1.0);
}

// Why it is where it is, when it was not taken back.
void tell_holding(ReplayedRelease& result, const StagedRelease& release) {
  result.message = release.message();
  for (const auto& judgement : release.judgements()) {
    if (judgement.verdict == Verdict::Pass || judgement.verdict == Verdict::Unsure) continue;
    result.objective = judgement.objective;
    result.message = fmt::format("{} is {}: {}", judgement.objective, to_string(judgement.verdict),
                                 judgement.message);
    return;
  }
}

class Replayer {
 public:
  Replayer(const Recording& recording, const CanaryPolicySpec& policy, const Ledger& ledger)
      : recording_(recording), policy_(policy), ledger_(ledger) {}

  // `end`: of what belongs to it in the recording.
  ReplayedRelease replay(const PastRelease& past, WallTime end) const {
    ReplayedRelease result;
    result.past = past;
    RecordedMetrics metrics(recording_, past.canary, past.stable);
    StagedRelease release(policy_, past.from);
    // A chart needs no more points than it has columns.
    const auto apart = std::max<WallTime::duration>(
        {recording_.step, seconds(1), (end - past.from) / kMaxReplayPoints});
    WallTime shown = past.from;
    for (int looks = 0; looks < kMaxReplayedLooks; ++looks) {
      if (release.ending() != Ending::UnderWay || release.next() > end) break;
      release.go_on(metrics);
      const bool over = release.ending() != Ending::UnderWay;
      if (!over && release.now() - shown < apart) continue;
      add_point(result, shown, release);
      shown = release.now();
    }
    conclude(result, release);
    // What happened afterwards, for the eye.
    for (auto at = shown + apart; at <= past.until; at += apart) {
      result.points.push_back(
          {at, ledger_.sum(past.canary, at - apart, at), ledger_.sum(past.stable, at - apart, at)});
    }
    return result;
  }

 private:
  void add_point(ReplayedRelease& result, WallTime since, const StagedRelease& release) const {
    const auto at = release.now();
    const int weight = release.rollback() ? 0 : release.stays().back().weight;
    result.points.push_back({at, ledger_.sum(result.past.canary, since, at),
                             ledger_.sum(result.past.stable, since, at), weight,
                             release.rollback() ? 1 : closeness(release)});
  }

  void conclude(ReplayedRelease& result, const StagedRelease& release) const {
    const auto& past = result.past;
    result.ending = release.ending();
    result.decided = release.now();
    result.weight = release.stays().empty() ? 0 : release.stays().back().weight;
    result.canary = ledger_.sum(past.canary, past.from, past.until);
    if (const auto& mark = release.rollback()) {
      result.objective = mark->reason;
      result.message = mark->message;
      result.bad_after = ledger_.sum(past.canary, release.now(), past.until).bad;
    } else if (release.ending() != Ending::Promoted) {
      tell_holding(result, release);
    } else {
      result.decided = *release.promoted();
    }
  }

  const Recording& recording_;
  const CanaryPolicySpec& policy_;
  const Ledger& ledger_;
};

void warn(const CanaryPolicySpec& policy, Backtest& result) {
  const auto say = [&](std::string text) { result.warnings.push_back(std::move(text)); };
  const auto widest = std::max<milliseconds>(kWidestStep, policy.judge.interval * 5);
  if (result.step > widest)
    say(
        fmt::format("the recording's points are {} apart: the judge has NoData between them, and "
                    "holds; record them at most {} apart",
                    format_duration(result.step), format_duration(widest)));
  if (!result.left_out.empty())
    say(fmt::format("not recorded, and left out: {}", fmt::join(result.left_out, ", ")));
  if (result.older_releases > 0)
    say(fmt::format("only the newest {} releases were replayed, {} are older", kMaxPastReleases,
                    result.older_releases));
  if (result.itself.trials == 0)
    say("no time in which one version served alone is long enough for a release of it against "
        "itself");
}

void replay_all(Backtest& result, const Replayer& replayer, std::vector<PastRelease> releases) {
  if (releases.size() > kMaxPastReleases) {
    result.older_releases = releases.size() - kMaxPastReleases;
    releases.erase(releases.begin(),
                   releases.begin() + static_cast<std::ptrdiff_t>(result.older_releases));
  }
  for (std::size_t i = 0; i < releases.size(); ++i) {
    const auto end = i + 1 < releases.size() ? releases[i + 1].from : result.to;
    result.releases.push_back(replayer.replay(releases[i], end));
  }
}

double found_a_year(const Backtest& result, std::size_t releases) {
  const double span = std::chrono::duration<double>(result.to - result.from).count();
  if (releases == 0 || span < kSecondsAWeek) return kUsualReleasesAYear;
  return static_cast<double>(releases) * kSecondsAYear / span;
}

}  // namespace

Result<Backtest> backtest(const CanaryPolicySpec& policy, const Recording& recording,
                          std::optional<double> releases_a_year) {
  if (releases_a_year && !(*releases_a_year > 0 && *releases_a_year <= 1e6))
    return Error{ErrorKind::Invalid,
                 fmt::format("releases a year: found {:g}, must be above 0, at most 1000000",
                             *releases_a_year)};
  Backtest result;
  ASSIGN_OR_RETURN(result.objectives, recorded_objectives(recording, policy));
  std::vector<std::string> ratios;
  for (const auto& objective : policy.objectives) {
    const auto& names = result.objectives;
    const bool recorded = std::find(names.begin(), names.end(), objective.name) != names.end();
    if (!recorded) result.left_out.push_back(objective.name);
    if (recorded && objective.ratio) ratios.push_back(objective.name);
  }
  result.from = recording.from;
  result.to = recording.to;
  result.step = recording.step;
  result.warnings = recording.warnings;
  const auto judged = with_objectives(policy, result.objectives);
  const auto& telling = main_objective(judged);
  const Ledger ledger(recording.objectives.find(telling.name)->second, recording.from);
  const auto found = find_releases(ledger.total());
  result.releases_a_year = releases_a_year.value_or(found_a_year(result, found.releases.size()));
  replay_all(result, Replayer(recording, judged, ledger), found.releases);
  result.itself = try_stable_against_itself(recording, policy, ratios, found.quiet);
  warn(judged, result);
  return result;
}

}  // namespace weir
