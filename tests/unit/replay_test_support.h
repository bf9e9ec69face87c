// Policies and recordings for the tests of replay/ and of the commands on top of it.
#pragma once

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "api/canary_policy.h"
#include "base/json.h"
#include "replay/recording.h"

namespace weir::replay_test {

inline WallTime at_second(double seconds) {
  return WallTime(std::chrono::microseconds(static_cast<std::int64_t>(seconds * 1e6)));
}

inline Objective errors(std::optional<double> at_most, std::optional<StableMargin> margin) {
  Objective objective;
  objective.name = "errors";
  objective.source = "p";
  objective.ratio = RatioObjective{
      {"bad{s=\"$(service)\"}", "", "all{s=\"$(service)\"}"}, std::nullopt, at_most, margin};
  return objective;
}

// 5, 25, 50 and 100 percent for a minute each, a sample every 5 seconds, watched for two minutes; at most 5 percent, and not worse
// than stable.
inline CanaryPolicySpec usual_policy() {
  CanaryPolicySpec policy;
  policy.steps = {{5, seconds(60)}, {25, seconds(60)}, {50, seconds(60)}, {100, seconds(60)}};
  policy.watch = seconds(120);
  policy.max_hold = seconds(600);
  policy.judge.warmup = seconds(10);
  policy.sources = {{"p", PrometheusSource{"http://p:9090"}}};
  policy.objectives = {errors(0.05, StableMargin{})};
  return policy;
}

// What a revision serves for a while.
struct Load {
  double per_second = 0;
  double bad_share = 0;
};
struct Span {
  double seconds = 0;
  std::map<std::string, Load> loads;  // by revision
};

inline Json answer_of(const Json& result) {
  return {{"status", "success"}, {"data", {{"resultType", "matrix"}, {"result", result}}}};
}

// Counters of such a past, one series for each revision and pod; those of bad requests appear with the first of them. From 1000 s on.
class Recorder {
 public:
  explicit Recorder(double step = 5, int pods = 1) : step_(step), pods_(pods) {}

  Recorder& add(const Span& span) {
    for (double end = now_ + span.seconds; now_ + step_ <= end + 1e-9;) {
      now_ += step_;
      for (const auto& [revision, load] : span.loads) count(revision, load);
    }
    return *this;
  }
  // Nothing is recorded for a while.
  Recorder& gap(double seconds) {
    now_ += seconds;
    return *this;
  }

  Json json() const {
    return {{"objectives", {{"errors", {{"bad", answer(false)}, {"total", answer(true)}}}}}};
  }
  std::string text() const { return json().dump(); }
  double now() const { return now_; }

 private:
  struct Pod {
    double bad = 0;
    double total = 0;
    Json bad_points = Json::array();
    Json total_points = Json::array();
  };

  void count(const std::string& revision, const Load& load) {
    for (int i = 0; i < pods_; ++i) {
      auto& pod = counters_[{revision, "pod-" + std::to_string(i)}];
      pod.total += load.per_second * step_ / pods_;
      pod.bad += load.per_second * load.bad_share * step_ / pods_;
      pod.total_points.push_back(point(pod.total));
      if (pod.bad >= 1) pod.bad_points.push_back(point(pod.bad));
    }
  }
  Json point(double value) const {
    return Json::array({now_, std::to_string(static_cast<long long>(std::floor(value + 1e-9)))});
  }
  Json answer(bool of_total) const {
    Json result = Json::array();
    for (const auto& [key, pod] : counters_) {
      const auto& points = of_total ? pod.total_points : pod.bad_points;
      if (points.empty()) continue;
      result.push_back(
          {{"metric",
            {{"__name__", "requests_total"}, {"revision", key.first}, {"pod", key.second}}},
           {"values", points}});
    }
    return answer_of(result);
  }

  double step_;
  int pods_;
  double now_ = 1000;
  std::map<std::pair<std::string, std::string>, Pod> counters_;
};

// Half an hour of a alone, ten minutes of a beside b, then b alone for an hour.
inline Recorder one_release(double canary_bad, double step = 5, int pods = 1) {
  Recorder recorder(step, pods);
  recorder.add({1800, {{"a", {50, 0.01}}}})
      .add({600, {{"a", {40, 0.01}}, {"b", {10, canary_bad}}}})
      .add({3600, {{"b", {50, canary_bad}}}});
  return recorder;
}

}  // namespace weir::replay_test
