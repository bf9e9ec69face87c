#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/codec.h"
#include "api/condition_codec.h"
#include "api/spec_readers.h"

namespace weir {
namespace {

constexpr Choice<Severity> kSeverities[] = {{"Critical", Severity::Critical},
                                            {"Warning", Severity::Warning}};
constexpr Choice<WhenNoData> kWhenNoData[] = {{"Hold", WhenNoData::Hold},
                                              {"Advance", WhenNoData::Advance},
                                              {"Rollback", WhenNoData::Rollback}};
constexpr Choice<Advance> kAdvance[] = {{"AfterHold", Advance::AfterHold},
                                        {"Early", Advance::Early}};
constexpr Choice<WhenUnsure> kWhenUnsure[] = {{"Advance", WhenUnsure::Advance},
                                              {"Hold", WhenUnsure::Hold}};
constexpr Choice<WhenSourceError> kWhenSourceError[] = {{"Hold", WhenSourceError::Hold},
                                                        {"Advance", WhenSourceError::Advance}};

constexpr Choice<PresetName> kPresetNames[] = {{"Errors", PresetName::Errors},
                                               {"Latency", PresetName::Latency}};
constexpr Choice<Dialect> kDialects[] = {
    {"Traefik", Dialect::Traefik},           {"EnvoyGateway", Dialect::EnvoyGateway},
    {"IngressNginx", Dialect::IngressNginx}, {"Istio", Dialect::Istio},
    {"Linkerd", Dialect::Linkerd},           {"Http", Dialect::Http}};

constexpr Choice<OnPodFailure> kOnPodFailure[] = {{"Rollback", OnPodFailure::Rollback},
                                                  {"Hold", OnPodFailure::Hold}};

constexpr Range kStepCount{1, 20};
constexpr Range kSourceCount{0, 8};
constexpr Range kObjectiveCount{0, 32};

std::vector<PolicyStep> default_steps() {
  using std::chrono::minutes;
  return {{5, minutes(2)}, {25, minutes(5)}, {50, minutes(5)}, {100, seconds(0)}};
}

std::vector<PolicyStep> read_steps(const FieldReader& spec) {
  if (!spec.has("steps")) return default_steps();
  std::vector<PolicyStep> steps;
  for (const auto& item : spec.list("steps", kStepCount)) {
    PolicyStep step;
    step.weight = item.integer("weight", {1, 100});
    step.hold = item.duration_or("hold", seconds(0));
    if (!steps.empty() && step.weight <= steps.back().weight)
      item.refuse("weight", fmt::format("greater than the step before ({})", steps.back().weight));
    steps.push_back(step);
  }
  if (!steps.empty() && steps.back().weight != 100)
    spec.refuse("steps", "steps of which the last has weight 100");
  return steps;
}

std::vector<MetricSource> read_sources(const FieldReader& spec) {
  std::vector<MetricSource> sources;
  const auto items = spec.list("sources", kSourceCount);
  for (const auto& item : items) {
    MetricSource source;
    source.name = item.text("name", text_rules::kLabel);
    const auto prometheus = item.object("prometheus");
    source.prometheus = PrometheusSource{
        prometheus.text("url", text_rules::kUrl),
        prometheus.duration_or("timeout", seconds(5), milliseconds(100), seconds(60)),
        prometheus.has("secretRef")
            ? prometheus.object("secretRef").text("name", text_rules::kSubdomain)
            : ""};
    sources.push_back(std::move(source));
  }
  spec.refuse_twins(items, "name");
  return sources;
}

std::string read_source_ref(const FieldReader& objective,
                            const std::vector<MetricSource>& sources) {
  if (!objective.has("sourceRef")) {
    if (sources.size() == 1) return sources.front().name;
    objective.refuse("sourceRef", sources.empty()
                                      ? "the name of a source, and spec.sources has none"
                                      : "given when spec.sources has more than one");
    return "";
  }
  const auto ref = objective.object("sourceRef");
  auto name = ref.text("name", text_rules::kLabel);
  if (std::none_of(sources.begin(), sources.end(),
                   [&](const MetricSource& source) { return source.name == name; }))
    ref.refuse("name", "the name of one of spec.sources");
  return name;
}

Preset read_preset(const FieldReader& item) {
  Preset preset;
  preset.name = item.choice("name", kPresetNames);
  preset.dialect = item.choice("dialect", kDialects);
  if (preset.name == PresetName::Latency)
    preset.threshold = item.duration("threshold", milliseconds(1), std::chrono::minutes(1));
  else if (item.has("threshold"))
    item.refuse("threshold", "left out: only Latency has one");
  return preset;
}

RatioQueries read_queries(const FieldReader& ratio) {
  if (ratio.has("badQuery") == ratio.has("goodQuery"))
    ratio.refuse_this(ratio.has("badQuery")
                          ? "found both badQuery and goodQuery, must be exactly one of them"
                          : "found neither badQuery nor goodQuery, must be exactly one, or preset");
  RatioQueries queries;
  if (ratio.has("badQuery")) queries.bad = ratio.text("badQuery", text_rules::kQuery);
  if (ratio.has("goodQuery")) queries.good = ratio.text("goodQuery", text_rules::kQuery);
  queries.total = ratio.text("totalQuery", text_rules::kQuery);
  return queries;
}

StableMargin read_margin(const FieldReader& versus) {
  StableMargin margin;
  if (versus.has("atMostTimes")) {
    margin.times = versus.decimal("atMostTimes");
    if (margin.times < 1 || margin.times > 1000) versus.refuse("atMostTimes", "from 1 to 1000");
  }
  margin.plus = versus.percent_or("plusAtMost", 0);
  return margin;
}

void read_bounds(const FieldReader& ratio, RatioObjective& objective) {
  if (!ratio.has("atMost") && !ratio.has("versusStable"))
    ratio.refuse_this("found neither atMost nor versusStable, must be at least one");
  if (ratio.has("atMost")) objective.at_most = ratio.percent("atMost");
  if (ratio.has("versusStable"))
    objective.versus_stable = read_margin(ratio.object("versusStable"));
}

// What counts both revisions at once makes them equal.
void check_told_apart(const FieldReader& ratio, const RatioObjective& objective) {
  if (!objective.versus_stable) return;
  for (const auto* query : {"badQuery", "goodQuery", "totalQuery"}) {
    if (!ratio.has(query) || !ratio.raw(query).is_string()) continue;
    const auto& text = ratio.raw(query).get_ref<const std::string&>();
    if (text.find("$(service)") == std::string::npos &&
        text.find("$(revision)") == std::string::npos)
      ratio.refuse(query,
                   "of one revision, by $(service) or $(revision), to compare it with stable");
  }
}

RatioObjective read_ratio(const FieldReader& ratio) {
  RatioObjective objective;
  read_bounds(ratio, objective);
  if (!ratio.has("preset")) {
    objective.queries = read_queries(ratio);
    check_told_apart(ratio, objective);
    return objective;
  }
  for (const auto* query : {"badQuery", "goodQuery", "totalQuery"})
    if (ratio.has(query)) ratio.refuse(query, "left out: preset is given");
  const auto item = ratio.object("preset");
  objective.preset = read_preset(item);
  if (auto queries = queries_of(*objective.preset))
    objective.queries = *std::move(queries);
  else
    item.refuse("dialect", why_not_offered(*objective.preset));
  return objective;
}

ValueObjective read_value(const FieldReader& value) {
  ValueObjective objective;
  objective.query = value.text("query", text_rules::kQuery);
  objective.at_most = value.decimal("atMost");
  objective.interval =
      value.duration_or("interval", seconds(15), seconds(1), std::chrono::hours(1));
  objective.fail_after = value.integer_or("failAfter", {1, 100}, 3);
  return objective;
}

Objective read_objective(const FieldReader& item, const std::vector<MetricSource>& sources) {
  Objective objective;
  objective.name = item.text("name", text_rules::kLabel);
  objective.severity = item.choice("severity", kSeverities, {Severity::Critical});
  objective.source = read_source_ref(item, sources);
  if (item.has("ratio") == item.has("value"))
    item.refuse_this(item.has("ratio") ? "found both ratio and value, must be exactly one of them"
                                       : "found neither ratio nor value, must be exactly one");
  else if (item.has("ratio"))
    objective.ratio = read_ratio(item.object("ratio"));
  else
    objective.value = read_value(item.object("value"));
  objective.on_no_data = item.choice("onNoData", kWhenNoData, {WhenNoData::Hold});
  objective.on_unsure = item.choice("onUnsure", kWhenUnsure, {WhenUnsure::Advance});
  return objective;
}

JudgeSettings read_judge(const FieldReader& judge) {
  JudgeSettings settings;
  settings.interval = judge.duration_or("interval", seconds(5), seconds(1), std::chrono::hours(1));
  settings.warmup = judge.duration_or("warmup", seconds(30));
  settings.max_false_rollback = judge.percent_or("maxFalseRollback", 0.01);
  settings.advance = judge.choice("advance", kAdvance, {Advance::AfterHold});
  settings.on_source_error =
      judge.choice("onSourceError", kWhenSourceError, {WhenSourceError::Hold});
  return settings;
}

PodFailureRules read_pod_failure(const FieldReader& pod_failure) {
  PodFailureRules rules;
  rules.crash_loop = pod_failure.choice("crashLoop", kOnPodFailure, {OnPodFailure::Rollback});
  rules.image_pull = pod_failure.choice("imagePull", kOnPodFailure, {OnPodFailure::Rollback});
  rules.not_ready_for = pod_failure.duration_or("notReadyFor", std::chrono::minutes(10), seconds(1),
                                                std::chrono::hours(24));
  return rules;
}

}  // namespace

CanaryPolicySpec read_policy_spec(const FieldReader& spec) {
  CanaryPolicySpec policy;
  policy.steps = read_steps(spec);
  policy.max_hold = spec.duration_or("maxHold", std::chrono::hours(1));
  policy.min_ready_seconds = spec.integer_or("minReadySeconds", {0, 3600}, 5);
  policy.drain = spec.duration_or("drain", seconds(30));
  policy.watch = spec.duration_or("watch", std::chrono::minutes(30));
  policy.sources = read_sources(spec);
  const auto objectives = spec.list("objectives", kObjectiveCount);
  for (const auto& item : objectives)
    policy.objectives.push_back(read_objective(item, policy.sources));
  spec.refuse_twins(objectives, "name");
  policy.judge = read_judge(spec.object_or_empty("judge"));
  for (auto& objective : policy.objectives) {
    if (objective.ratio) objective.ratio->may_end_early = policy.judge.advance == Advance::Early;
  }
  policy.pod_failure = read_pod_failure(spec.object_or_empty("podFailure"));
  return policy;
}

Result<CanaryPolicySpec> decode_policy_spec(const Json& spec) {
  Reading reading;
  auto policy = read_policy_spec(FieldReader(spec, "spec", reading));
  if (auto error = reading.error()) return *std::move(error);
  return policy;
}

Result<CanaryPolicy> decode_policy(const Json& object) {
  CanaryPolicy policy;
  ASSIGN_OR_RETURN(policy.meta, decode_meta(object));
  const Json& spec = json_at(object, {"spec"});
  policy.spec = decode_policy_spec(spec);
  policy.spec_text = dump_json(spec);
  policy.observed_generation = json_int(object, {"status", "observedGeneration"});
  policy.conditions = decode_conditions(json_at(object, {"status", "conditions"}));
  return policy;
}

Json encode_policy_status(const CanaryPolicy& policy) {
  Json status = Json::object();
  status["observedGeneration"] = policy.observed_generation;
  if (!policy.conditions.empty()) status["conditions"] = encode_conditions(policy.conditions);
  return status;
}

}  // namespace weir
