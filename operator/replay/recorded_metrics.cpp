#include "replay/recorded_metrics.h"

#include <algorithm>
#include <array>
#include <utility>

namespace weir {
namespace {

struct RoleName {
  std::string_view asked;
  std::string_view recorded;
  bool of_stable;
};

constexpr std::array<RoleName, 7> kNames{{{roles::kBad, "bad", false},
                                          {roles::kGood, "good", false},
                                          {roles::kTotal, "total", false},
                                          {roles::kStableBad, "bad", true},
                                          {roles::kStableGood, "good", true},
                                          {roles::kStableTotal, "total", true},
                                          {roles::kValue, "value", false}}};

}  // namespace

RecordedMetrics::Wanted RecordedMetrics::wanted(const ReleaseQuestion& question,
                                                std::string_view role) const {
  const auto objective = recording_.objectives.find(question.objective.name);
  const auto name = std::find_if(kNames.begin(), kNames.end(),
                                 [&](const RoleName& known) { return known.asked == role; });
  if (objective == recording_.objectives.end() || name == kNames.end()) return {nullptr, nullptr};
  const auto found = objective->second.find(name->recorded);
  if (found == objective->second.end()) return {nullptr, nullptr};
  return {&found->second, name->of_stable ? &stable_ : &canary_};
}

Result<std::vector<MetricSample>> RecordedMetrics::answer(const ReleaseQuestion& question) {
  std::vector<MetricSample> samples;
  for (const auto& expression : question.expressions) {
    const auto [all, revision] = wanted(question, expression.role);
    if (!all) continue;
    for (const auto& series : *all) {
      // A value may be one for all revisions.
      const bool is_meant = series.revision == *revision || series.revision.empty();
      const auto* point = is_meant ? series.at(now_) : nullptr;
      if (point) samples.push_back({expression.role, series.labels, point->value, point->at});
    }
  }
  return samples;
}

std::vector<MetricSample> RecordedMetrics::past(const ReleaseQuestion& question) {
  std::vector<MetricSample> sums;
  const auto minute = std::chrono::minutes(1);
  const auto known_from = std::max(question.past_span.from, recording_.from);
  for (const auto& expression : question.past) {
    const auto [all, revision] = wanted(question, expression.role);
    if (!all) continue;
    for (auto at = question.past_span.to; at >= known_from; at -= minute) {
      double sum = 0;
      bool counted = false;
      for (const auto& series : *all) {
        const auto* point = series.revision == *revision ? series.at(at) : nullptr;
        sum += point ? point->value : 0;
        counted = counted || point;
      }
      if (counted) sums.push_back({expression.role, "", sum, at});
    }
  }
  return sums;
}

}  // namespace weir
