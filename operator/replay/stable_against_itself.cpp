#include "replay/stable_against_itself.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "replay/objectives.h"
#include "replay/recorded_metrics.h"
#include "stats/intervals.h"

namespace weir {
namespace {

constexpr double kDoubt = 0.05;

// Who is the canary: by instance; empty = by time.
using Sides = std::map<std::string, bool>;

// Counters of both halves at one time; of bad or of good requests, and of all.
struct HalvedPoint {
  WallTime at{};
  std::array<double, 2> part{};  // canary, stable
  std::array<double, 2> total{};
};
using Halves = std::map<std::string, std::vector<HalvedPoint>, std::less<>>;  // by objective

const std::string& part_role(const RecordedObjective& objective) {
  static const std::string kBad = "bad";
  static const std::string kGood = "good";
  return objective.count(kGood) != 0 ? kGood : kBad;
}

// Every other instance; none where there are not at least two, or some series has no such label.
Sides sides_of(const RecordedObjective& objective, const QuietSpan& span) {
  std::set<std::string> names;
  for (const auto& series : objective.find("total")->second) {
    const auto serves = [&](const RecordedPoint& point) {
      return point.at >= span.from && point.at <= span.to;
    };
    const auto& points = series.points;
    if (series.revision == span.revision && std::any_of(points.begin(), points.end(), serves))
      names.insert(series.instance);
  }
  Sides sides;
  if (names.size() < 2 || names.count("") != 0) return sides;
  bool is_canary = true;
  for (const auto& name : names) {
    sides[name] = is_canary;
    is_canary = !is_canary;
  }
  return sides;
}

// What each half was counted by, point by point.
std::map<WallTime, HalvedPoint> increments(const Recording& recording,
                                           const RecordedObjective& objective,
                                           const QuietSpan& span, const Sides& sides) {
  std::map<WallTime, HalvedPoint> points;
  const auto add = [&](const std::string& role, std::array<double, 2> HalvedPoint::*counter) {
    for (const auto& series : objective.find(role)->second) {
      if (series.revision != span.revision) continue;
      const auto side = sides.find(series.instance);
      const std::size_t half = side != sides.end() && side->second ? 0 : 1;
      for (const auto& one : served({series}, recording.from)) {
        if (one.at > span.from && one.at <= span.to)
          (points[one.at].*counter)[half] += one.requests;
      }
    }
  };
  points[span.from] = {};
  add("total", &HalvedPoint::total);
  add(part_role(objective), &HalvedPoint::part);
  return points;
}

// Two points are one sample: the canary gets the first of them, then stable does, in turns.
void share_by_time(std::map<WallTime, HalvedPoint>& points) {
  std::map<WallTime, HalvedPoint> shared;
  HalvedPoint sample;
  std::size_t number = 0;
  for (const auto& [at, point] : points) {
    const std::size_t half = (number + number / 2) % 2;
    sample.part[half] += point.part[0] + point.part[1];
    sample.total[half] += point.total[0] + point.total[1];
    if (++number % 2 != 0) continue;
    shared[at] = sample;
    sample = {};
  }
  points = std::move(shared);
}

std::vector<HalvedPoint> halves_of(const Recording& recording, const RecordedObjective& objective,
                                   const QuietSpan& span, const Sides& sides) {
  auto points = increments(recording, objective, span, sides);
  if (sides.empty()) share_by_time(points);
  std::vector<HalvedPoint> sums;
  HalvedPoint sum;
  for (const auto& [at, point] : points) {
    sum.at = at;
    for (std::size_t half = 0; half < 2; ++half) {
      sum.part[half] += point.part[half];
      sum.total[half] += point.total[half];
    }
    sums.push_back(sum);
  }
  return sums;
}

// Both halves in the place of Prometheus.
class HalvedMetrics final : public StagedMetrics {
 public:
  HalvedMetrics(const Halves& halves, RecordedMetrics whole)
      : halves_(halves), whole_(std::move(whole)) {}

  void pass(WallTime until, int /*weight*/) override { now_ = until; }

  Result<std::vector<MetricSample>> answer(const ReleaseQuestion& question) override {
    std::vector<MetricSample> samples;
    const auto& points = halves_.find(question.objective.name)->second;
    const auto later = std::upper_bound(
        points.begin(), points.end(), now_,
        [](WallTime wanted, const HalvedPoint& point) { return wanted < point.at; });
    if (later == points.begin()) return samples;
    const auto& point = *(later - 1);
    for (const auto& [role, text] : question.expressions) {
      const bool of_stable =
          role == roles::kStableBad || role == roles::kStableGood || role == roles::kStableTotal;
      const bool is_total = role == roles::kTotal || role == roles::kStableTotal;
      const auto& counter = is_total ? point.total : point.part;
      samples.push_back({role, "", counter[of_stable ? 1 : 0], point.at});
    }
    return samples;
  }

  // What is known of stable's bursts is known of the whole of it.
  std::vector<MetricSample> past(const ReleaseQuestion& question) override {
    return whole_.past(question);
  }

 private:
  const Halves& halves_;
  RecordedMetrics whole_;
  WallTime now_{};
};

milliseconds length_of(const CanaryPolicySpec& policy) {
  milliseconds length = policy.watch + policy.judge.interval;
  for (const auto& step : policy.steps) length += step.hold;
  return length;
}

class Trials {
 public:
  Trials(const Recording& recording, CanaryPolicySpec policy)
      : recording_(recording), policy_(std::move(policy)), length_(length_of(policy_)) {
    const double samples = std::chrono::duration<double>(length_) / policy_.judge.interval;
    const double most = std::clamp<double>(kMaxTrialSamples / samples, 1, kMaxTrials);
    most_ = static_cast<int>(most);
  }

  TrialReport run(const std::vector<QuietSpan>& quiet) {
    for (const auto& span : quiet) {
      if (span.to - span.from >= length_ && report_.trials < most_) try_in(span);
    }
    const auto hits = static_cast<int>(report_.taken_back.size());
    report_.share_at_most = largest_share(hits, report_.trials);
    return std::move(report_);
  }

 private:
  void try_in(const QuietSpan& span) {
    const auto& first = recording_.objectives.find(policy_.objectives.front().name)->second;
    const auto sides = sides_of(first, span);
    Halves halves;
    for (const auto& objective : policy_.objectives)
      halves[objective.name] =
          halves_of(recording_, recording_.objectives.find(objective.name)->second, span, sides);
    report_.by_instance = report_.trials == 0 ? !sides.empty() : report_.by_instance;
    for (auto at = span.from; at + length_ <= span.to && report_.trials < most_; at += length_) {
      HalvedMetrics metrics(halves, RecordedMetrics(recording_, "", span.revision));
      try_once(span, metrics, at);
    }
  }

  void try_once(const QuietSpan& span, HalvedMetrics& metrics, WallTime from) {
    StagedRelease release(policy_, from);
    while (release.ending() == Ending::UnderWay && release.next() <= span.to)
      release.go_on(metrics);
    ++report_.trials;
    report_.awaiting += release.ending() == Ending::AwaitsPerson ? 1 : 0;
    if (const auto& mark = release.rollback())
      report_.taken_back.push_back({mark->at, span.revision, mark->reason, mark->message});
  }

  const Recording& recording_;
  const CanaryPolicySpec policy_;
  const milliseconds length_;
  int most_ = 0;
  TrialReport report_;
};

}  // namespace

TrialReport try_stable_against_itself(const Recording& recording, const CanaryPolicySpec& policy,
                                      const std::vector<std::string>& objectives,
                                      const std::vector<QuietSpan>& quiet) {
  return Trials(recording, with_objectives(policy, objectives)).run(quiet);
}

double largest_share(int hits, int runs) {
  const auto least_spared = runs > 0 ? least_chance(runs - hits, runs, kDoubt) : Error{};
  return least_spared ? 1 - *least_spared : 1;
}

}  // namespace weir
