#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/codec.h"

namespace weir {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

const char* const kTwoSources = R"("sources": [
    {"name": "main", "prometheus": {"url": "http://prometheus:9090"}},
    {"name": "other", "prometheus": {"url": "http://other:9090"}}])";

Result<CanaryPolicySpec> decode(const std::string& text) {
  return decode_policy_spec(Json::parse(text));
}

std::string with_objective(const std::string& rest) {
  return "{" + std::string(kTwoSources) + R"(, "objectives": [{"name": "errors", )" + rest + "}]}";
}

std::string with_ratio_of(const std::string& at_most) {
  return with_objective(R"("sourceRef": {"name": "main"},
      "ratio": {"badQuery": "b", "totalQuery": "t", "atMost": ")" +
                        at_most + "\"}");
}

TEST(PolicySpec, AnEmptySpecIsTheStandardCanary) {
  const auto policy = decode("{}");
  ASSERT_TRUE(policy);
  const std::vector<PolicyStep> steps{
      {5, minutes(2)}, {25, minutes(5)}, {50, minutes(5)}, {100, seconds(0)}};
  EXPECT_EQ(policy->steps, steps);
  EXPECT_EQ(policy->max_hold, hours(1));
  EXPECT_EQ(policy->min_ready_seconds, 5);
  EXPECT_EQ(policy->drain, seconds(30));
  EXPECT_EQ(policy->watch, minutes(30));
  EXPECT_TRUE(policy->sources.empty());
  EXPECT_TRUE(policy->objectives.empty());
  EXPECT_EQ(policy->judge.interval, seconds(5));
  EXPECT_EQ(policy->judge.warmup, seconds(30));
  EXPECT_DOUBLE_EQ(policy->judge.max_false_rollback, 0.01);
  EXPECT_EQ(policy->judge.on_source_error, WhenSourceError::Hold);
  EXPECT_EQ(policy->pod_failure.crash_loop, OnPodFailure::Rollback);
  EXPECT_EQ(policy->pod_failure.image_pull, OnPodFailure::Rollback);
  EXPECT_EQ(policy->pod_failure.not_ready_for, minutes(10));
}

TEST(PolicySpec, AnObjectiveWithoutSourceRefAsksTheOnlySource) {
  const auto policy = decode(R"({
    "sources": [{"name": "main", "prometheus": {"url": "http://prometheus:9090"}}],
    "objectives": [{"name": "lag", "value": {"query": "lag", "atMost": "1000"}}]})");
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_EQ(policy->sources[0].prometheus->timeout, seconds(5));
  const auto& objective = policy->objectives[0];
  EXPECT_EQ(objective.source, "main");
  EXPECT_EQ(objective.severity, Severity::Critical);
  EXPECT_EQ(objective.on_no_data, WhenNoData::Hold);
  EXPECT_EQ(objective.on_unsure, WhenUnsure::Advance);
  ASSERT_TRUE(objective.value);
  EXPECT_FALSE(objective.ratio);
  EXPECT_DOUBLE_EQ(objective.value->at_most, 1000);
  EXPECT_EQ(objective.value->interval, seconds(15));
  EXPECT_EQ(objective.value->fail_after, 3);
}

TEST(PolicySpec, PercentsBecomeTheNearestFractions) {
  EXPECT_EQ(decode(with_ratio_of("5%"))->objectives[0].ratio->at_most, 0.05);
  EXPECT_EQ(decode(with_ratio_of("0.1%"))->objectives[0].ratio->at_most, 0.001);
  EXPECT_EQ(decode(with_ratio_of("0.0001%"))->objectives[0].ratio->at_most, 0.000001);
  EXPECT_EQ(decode(with_ratio_of("99.9999%"))->objectives[0].ratio->at_most, 0.999999);
  EXPECT_EQ(decode(with_ratio_of("33.33%"))->objectives[0].ratio->at_most, 0.3333);
}

std::string with_margin(const std::string& versus) {
  return with_objective(R"("sourceRef": {"name": "main"},
      "ratio": {"badQuery": "b{s='$(service)'}", "totalQuery": "t{s='$(revision)'}",
                "versusStable": )" +
                        versus + "}");
}

TEST(PolicySpec, ARatioMayOnlyBeHeldAgainstStable) {
  const auto policy = decode(with_margin(R"({"atMostTimes": "1.5", "plusAtMost": "0.1%"})"));
  ASSERT_TRUE(policy) << policy.error().message;
  const auto& ratio = *policy->objectives[0].ratio;
  EXPECT_FALSE(ratio.at_most);
  ASSERT_TRUE(ratio.versus_stable);
  EXPECT_DOUBLE_EQ(ratio.versus_stable->times, 1.5);
  EXPECT_DOUBLE_EQ(ratio.versus_stable->plus, 0.001);
}

TEST(PolicySpec, AMarginLeftOutIsNone) {
  const auto policy = decode(with_margin("{}"));
  ASSERT_TRUE(policy) << policy.error().message;
  const auto& margin = *policy->objectives[0].ratio->versus_stable;
  EXPECT_DOUBLE_EQ(margin.times, 1);
  EXPECT_DOUBLE_EQ(margin.plus, 0);
}

TEST(PolicySpec, NullReadsAsAbsent) {
  const auto policy = decode(R"({"steps": null, "maxHold": null, "judge": null})");
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_EQ(policy->steps.size(), 4U);
}

struct BadPolicy {
  std::string spec;
  std::string message;
};

void expect_refused(const std::vector<BadPolicy>& table) {
  for (const auto& bad : table) {
    const auto policy = decode(bad.spec);
    ASSERT_FALSE(policy) << bad.spec;
    EXPECT_EQ(policy.error().kind, ErrorKind::Invalid);
    EXPECT_EQ(policy.error().message, bad.message);
  }
}

TEST(PolicySpec, BadInputIsRefusedWithItsPathAndWhatIsAllowed) {
  const std::vector<BadPolicy> table{
      {R"([])", "spec: found [], must be an object"},
      {R"(null)", "spec: missing, must be an object"},
      {R"({"steps": []})", "spec.steps: found [], must be a list of 1 to 20 items"},
      {R"({"steps": {}})", "spec.steps: found {}, must be a list of 1 to 20 items"},
      {R"({"steps": [5]})", "spec.steps[0]: found 5, must be an object"},
      {R"({"steps": [{}]})", "spec.steps[0].weight: missing, must be a whole number from 1 to 100"},
      {R"({"steps": [{"weight": 5}, {"weight": 50}, {"weight": 25}, {"weight": 100}]})",
       "spec.steps[2].weight: found 25, must be greater than the step before (50)"},
      {R"({"steps": [{"weight": 50}]})",
       R"(spec.steps: found [{"weight":50}], must be steps of which the last has weight 100)"},
      {R"({"steps": [{"weight": 100, "hold": "5 m"}]})",
       "spec.steps[0].hold: found \"5 m\", must be a duration, like 30s, 2m, 1h30m or 250ms"},
      {R"({"minReadySeconds": 5000})",
       "spec.minReadySeconds: found 5000, must be a whole number from 0 to 3600"},
      {R"({"minReadySeconds": 2.5})",
       "spec.minReadySeconds: found 2.5, must be a whole number from 0 to 3600"},
      {R"({"sources": [{"name": "Main", "prometheus": {"url": "http://p"}}]})",
       "spec.sources[0].name: found \"Main\", must be a DNS label (lower-case letters, digits and "
       "'-', at most 63 characters)"},
      {R"({"sources": [{"name": "main", "prometheus": {"url": "http://p", "timeout": "2m"}}]})",
       "spec.sources[0].prometheus.timeout: found \"2m\", must be from 100ms to 1m"},
      {R"({"sources": [{"name": "a", "prometheus": {"url": "http://p"}},
                       {"name": "a", "prometheus": {"url": "http://q"}}]})",
       "spec.sources[1].name: found \"a\", must be unique in the list"},
      {with_objective(R"("value": {"query": "q", "atMost": "1"})"),
       "spec.objectives[0].sourceRef: missing, must be given when spec.sources has more than one"},
      {R"({"objectives": [{"name": "e", "value": {"query": "q", "atMost": "1"}}]})",
       "spec.objectives[0].sourceRef: missing, must be the name of a source, and spec.sources has "
       "none"},
      {with_objective(R"("sourceRef": {"name": "x"}, "value": {"query": "q", "atMost": "1"})"),
       "spec.objectives[0].sourceRef.name: found \"x\", must be the name of one of spec.sources"},
      {with_objective(R"("sourceRef": {"name": "main"})"),
       "spec.objectives[0]: found neither ratio nor value, must be exactly one"},
      {with_objective(R"("sourceRef": {"name": "main"}, "ratio": {}, "value": {})"),
       "spec.objectives[0]: found both ratio and value, must be exactly one of them"},
      {with_objective(R"("sourceRef": {"name": "main"}, "severity": "Fatal", "value": {})"),
       "spec.objectives[0].severity: found \"Fatal\", must be one of Critical, Warning"},
      {with_ratio_of("0.05"),
       "spec.objectives[0].ratio.atMost: found \"0.05\", must be a percentage above 0% and below "
       "100% with at most 4 decimals, like \"5%\""},
      {with_objective(R"("sourceRef": {"name": "main"}, "value": {"query": "q", "atMost": "1Gi"})"),
       "spec.objectives[0].value.atMost: found \"1Gi\", must be a plain decimal number as a "
       "string, like \"1000\" or \"0.25\", without suffix"},
      {R"({"judge": {"interval": "500ms"}})",
       "spec.judge.interval: found \"500ms\", must be from 1s to 1h"},
      {R"({"judge": {"onSourceError": "Rollback"}})",
       "spec.judge.onSourceError: found \"Rollback\", must be one of Hold, Advance"},
      {R"({"podFailure": {"crashLoop": "Ignore"}})",
       "spec.podFailure.crashLoop: found \"Ignore\", must be one of Rollback, Hold"},
      {R"({"podFailure": {"imagePull": true}})",
       "spec.podFailure.imagePull: found true, must be one of Rollback, Hold"},
      {R"({"podFailure": {"notReadyFor": "10ms"}})",
       "spec.podFailure.notReadyFor: found \"10ms\", must be from 1s to 24h"},
  };
  expect_refused(table);
}

TEST(PolicySpec, BadBoundsOfARatioAreRefused) {
  expect_refused({
      {with_objective(R"("sourceRef": {"name": "main"},
                         "ratio": {"badQuery": "b", "totalQuery": "t"})"),
       "spec.objectives[0].ratio: found neither atMost nor versusStable, must be at least one"},
      {with_margin(R"({"atMostTimes": "0.5"})"),
       "spec.objectives[0].ratio.versusStable.atMostTimes: found \"0.5\", must be from 1 to 1000"},
      {with_margin(R"({"atMostTimes": 2})"),
       "spec.objectives[0].ratio.versusStable.atMostTimes: found 2, must be a plain decimal number "
       "as a string, like \"1000\" or \"0.25\", without suffix"},
      {with_margin(R"({"plusAtMost": "0%"})"),
       "spec.objectives[0].ratio.versusStable.plusAtMost: found \"0%\", must be a percentage above "
       "0% and below 100% with at most 4 decimals, like \"5%\""},
      {with_objective(R"("sourceRef": {"name": "main"},
                         "ratio": {"badQuery": "b", "totalQuery": "t{s='$(service)'}",
                                   "versusStable": {}})"),
       "spec.objectives[0].ratio.badQuery: found \"b\", must be of one revision, by $(service) or "
       "$(revision), to compare it with stable"},
  });
}

TEST(PolicySpec, LongWrongValuesAreCutInTheMessage) {
  const auto policy = decode(R"({"drain": ")" + std::string(5000, 'x') + "\"}");
  ASSERT_FALSE(policy);
  EXPECT_LT(policy.error().message.size(), 200U);
}

TEST(Policy, ABadSpecIsAnErrorInsideAReadableObject) {
  const auto policy = decode_policy(Json::parse(
      R"({"metadata": {"name": "standard", "namespace": "shop"}, "spec": {"drain": "soon"}})"));
  ASSERT_TRUE(policy);
  EXPECT_EQ(policy->meta.key, (ObjectKey{"shop", "standard"}));
  ASSERT_FALSE(policy->spec);
  EXPECT_TRUE(policy->spec.error().message.starts_with("spec.drain: found \"soon\""));
}

TEST(Policy, WithoutANameItIsNotReadable) {
  const auto policy = decode_policy(Json::parse(R"({"metadata": {}, "spec": {}})"));
  ASSERT_FALSE(policy);
  EXPECT_EQ(policy.error().kind, ErrorKind::Parse);
}

TEST(Policy, TheTextOfItsSpecDecodesToTheSamePolicy) {
  const auto policy = decode_policy(
      Json::parse(R"({"metadata": {"name": "a"}, "spec": {"watch": "10m", "drain": "1s"}})"));
  ASSERT_TRUE(policy);
  EXPECT_EQ(policy->spec_text, R"({"drain":"1s","watch":"10m"})");
  const auto again = decode(policy->spec_text);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->watch, minutes(10));
  EXPECT_EQ(again->drain, seconds(1));
}

}  // namespace
}  // namespace weir
