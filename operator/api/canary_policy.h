// CanaryPolicy (weir.dev/v1alpha1): how far, how long, and what counts as hurt. Field docs: crds/canarypolicies.weir.dev.yaml.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/meta.h"
#include "api/presets.h"
#include "base/clock.h"
#include "base/result.h"

namespace weir {

struct PolicyStep {
  int weight = 0;  // percent of the traffic, 1..100
  milliseconds hold{0};
  bool operator==(const PolicyStep&) const = default;
};

struct PrometheusSource {
  std::string url;
  milliseconds timeout{5000};
  std::string secret{};  // in the policy's namespace, with credentials; "" = none
};

struct MetricSource {
  std::string name;
  std::optional<PrometheusSource> prometheus;  // exactly one type
};

enum class Severity { Critical, Warning };
enum class WhenNoData { Hold, Advance, Rollback };
enum class WhenUnsure { Hold, Advance };
enum class WhenSourceError { Hold, Advance };

// What a query may leave open, to be filled in when it is asked; anything else in "$(…)" is refused.
inline constexpr std::array<std::string_view, 4> kQueryPlaceholders{
    "$(release)", "$(namespace)", "$(revision)",
    "$(service)",  // of the revision that is judged
};

// Worse than stable at the same time: above its rate times `times`, and above its rate plus `plus`.
struct StableMargin {
  double times = 1;  // 1 to 1000
  double plus = 0;   // fraction, from 0, below 1
};

// At least one of at_most and versus_stable.
struct RatioObjective {
  RatioQueries queries;                         // the preset's, when there is one
  std::optional<Preset> preset;                 // as given
  std::optional<double> at_most;                // fraction in (0, 1)
  std::optional<StableMargin> versus_stable{};  // only with queries that tell revisions apart
  bool may_end_early = false;  // judge.advance is Early: what one weight alone shows is wanted too
};

struct ValueObjective {  // a number, however computed
  std::string query;
  double at_most = 0;
  milliseconds interval{15'000};
  int fail_after = 3;  // distinct samples in a row
};

struct Objective {
  std::string name;
  Severity severity = Severity::Critical;
  std::string source;                   // name of a source; never empty after parsing
  std::optional<RatioObjective> ratio;  // exactly one of ratio | value
  std::optional<ValueObjective> value;
  WhenNoData on_no_data = WhenNoData::Hold;
  WhenUnsure on_unsure = WhenUnsure::Advance;
};

// When a step may be left: after its hold, or as soon as its own requests show that every Critical objective is kept.
enum class Advance { AfterHold, Early };

struct JudgeSettings {
  milliseconds interval{5000};
  milliseconds warmup{30'000};
  double max_false_rollback =
      0.01;  // probability, over all Critical ratio objectives of one release
  Advance advance = Advance::AfterHold;
  WhenSourceError on_source_error = WhenSourceError::Hold;
};

enum class OnPodFailure { Rollback, Hold };

// What pods of the judged revision may do before it is taken back; never for what the infrastructure does to them.
struct PodFailureRules {
  OnPodFailure crash_loop = OnPodFailure::Rollback;
  OnPodFailure image_pull = OnPodFailure::Rollback;
  milliseconds not_ready_for{600'000};  // as progressDeadlineSeconds of a Deployment
};

struct CanaryPolicySpec {
  std::vector<PolicyStep> steps;  // rising, last 100
  milliseconds max_hold{3'600'000};
  int min_ready_seconds = 5;
  milliseconds drain{30'000};
  milliseconds watch{1'800'000};
  std::vector<MetricSource> sources;
  std::vector<Objective> objectives;
  JudgeSettings judge;
  PodFailureRules pod_failure;
};

struct CanaryPolicy {
  ObjectMeta meta;
  Result<CanaryPolicySpec> spec =
      CanaryPolicySpec{};  // an error names the field; it becomes a condition
  std::string spec_text;   // compact JSON of the spec as stored, to pin it for a release
  std::int64_t observed_generation = 0;
  std::vector<Condition> conditions;
};

}  // namespace weir
