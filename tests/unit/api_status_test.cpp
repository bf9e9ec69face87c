#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "api/codec.h"
#include "base/time_format.h"
#include "unit/api_test_support.h"

namespace weir {
namespace {

using api_test::fields_of;
using api_test::load_schema;
using api_test::paths_in;

constexpr Phase kAllPhases[] = {Phase::Pending,          Phase::Progressing, Phase::Paused,
                                Phase::AwaitingApproval, Phase::Healthy,     Phase::RollingBack,
                                Phase::RolledBack,       Phase::Degraded};

// Whole seconds; `micros` more for the times that keep them.
WallTime at(int second, int micros = 0) {
  return WallTime(seconds(1'800'000'000 + second)) + std::chrono::microseconds(micros);
}

Condition condition(const std::string& type) {
  return {type, "True", "AllGood", "All is well", 5, at(1)};
}

CanaryStatus full_canary() { return {"bbb", 2, 1, 3, 4, 50, at(2), at(3, 123'456), at(4, 1)}; }

JudgementStatus full_judgement() {
  JudgementStatus judgement{"errors", "Pass", 1, 100, 0, 80, 3, 900};
  judgement.interval = "0% to 3.1%";
  judgement.evidence = "1";
  judgement.needed = "100";
  judgement.checkpoint = "bursts 1";
  judgement.value = "0.9%";
  judgement.bound = "at most 5%";
  judgement.message = "80 requests, none bad";
  judgement.sampled = at(11);
  return judgement;
}

ReleaseStatus full_status() {
  ReleaseStatus status;
  status.observed_generation = 7;
  status.phase = Phase::Progressing;
  status.message = "Step 3 of 4 until 13:20";
  status.policy = "standard";
  status.policy_generation = 2;
  status.stable = StableStatus{"aaa", 4, 3};
  status.canary = full_canary();
  status.promotion = PromotionStatus{"aaa", "zzz", at(5, 5), at(6, 6)};
  status.weights = {{"aaa", 50}, {"bbb", 50}};
  status.idle = {{"zzz", at(7, 7)}};
  status.judgement = {full_judgement()};
  status.judged = at(8);
  status.last_rollback = RollbackStatus{"yyy", "errors", "9 of 100 were bad", at(9, 9), at(10, 10)};
  status.history = {{"aaa", "Promoted", at(12), at(13), "after 12 m"}};
  status.requests = {{"n1@2027-01-15T08:00:00Z", "abort:bbb", "alice", "Refused", "why", at(14)}};
  status.conditions = {condition("Ready"), condition("Stalled")};
  status.replicas = 6;
  status.selector = "weir.dev/release=shop";
  return status;
}

std::set<std::string> schema_paths(const std::string& plural) {
  std::set<std::string> paths;
  for (const auto& field : fields_of(load_schema(plural).at("properties").at("status"), "status"))
    paths.insert(field.path);
  return paths;
}

const Json& schema_of(const Json& root, const std::string& path) {
  for (const auto& field : fields_of(root, ""))
    if (field.path == path) return *field.schema;
  static const Json none;
  return none;
}

TEST(ReleaseStatus, WhatIsWrittenReadsBackTheSame) {
  const auto status = full_status();
  const Json json = encode_release_status(status);
  const auto again = decode_release_status(json);
  EXPECT_EQ(again.observed_generation, status.observed_generation);
  EXPECT_EQ(again.phase, status.phase);
  EXPECT_EQ(again.policy_generation, status.policy_generation);
  EXPECT_EQ(again.stable, status.stable);
  EXPECT_EQ(again.canary, status.canary);
  EXPECT_EQ(again.promotion, status.promotion);
  EXPECT_EQ(again.weights, status.weights);
  EXPECT_EQ(again.idle, status.idle);
  EXPECT_EQ(again.last_rollback, status.last_rollback);
  EXPECT_EQ(again.history, status.history);
  EXPECT_EQ(again.conditions, status.conditions);
  EXPECT_EQ(encode_release_status(again), json);
}

TEST(ReleaseStatus, AnEmptyStatusReadsBackTheSameAndHasNoNull) {
  const Json json = encode_release_status({});
  EXPECT_EQ(dump_json(json), R"({"observedGeneration":0,"phase":"Pending","replicas":0})");
  EXPECT_EQ(encode_release_status(decode_release_status(json)), json);
}

TEST(ReleaseStatus, TimesThatAreMeasuredKeepMicroseconds) {
  const Json json = encode_release_status(full_status());
  EXPECT_EQ(json_text(json, {"canary", "accepted"}), format_time_micro(at(3, 123'456)));
  EXPECT_EQ(json_text(json, {"canary", "started"}), format_time(at(2)));
  EXPECT_EQ(json_text(json, {"lastRollback", "badSince"}), format_time_micro(at(10, 10)));
  EXPECT_EQ(json_text(json, {"promotion", "watchUntil"}), format_time_micro(at(6, 6)));
  EXPECT_EQ(json_text(json, {"judged"}), format_time(at(8)));
}

TEST(ReleaseStatus, WhatCanBeWrittenIsExactlyWhatTheSchemaHas) {
  EXPECT_EQ(paths_in(encode_release_status(full_status()), "status"), schema_paths("releases"));
}

TEST(ReleaseStatus, PhasesOfTheSchemaAreThoseOfTheCode) {
  std::set<std::string> names;
  for (const Phase phase : kAllPhases) {
    names.emplace(to_string(phase));
    ReleaseStatus status;
    status.phase = phase;
    EXPECT_EQ(decode_release_status(encode_release_status(status)).phase, phase);
  }
  const Json schema = load_schema("releases");
  EXPECT_EQ(Json(names),
            Json(schema_of(schema, "status.phase").at("enum").get<std::set<std::string>>()));
}

TEST(ReleaseStatus, AnUnreadablePartIsAsIfAbsent) {
  const auto status = decode_release_status(Json::parse(R"({
      "phase": "Dreaming", "message": 5, "stable": [], "canary": {"weight": 5},
      "promotion": {"revision": "a", "at": "yesterday"},
      "weights": [5, {"revision": "a", "weight": "x"}],
      "idle": [{"revision": "a"}, {"revision": "b", "since": "2026-11-21T13:19:55Z"}],
      "judgement": {},
      "conditions": [{"status": "True"}, {"type": "Ready"}, {"type": "Ready"}],
      "replicas": 99999999999999})"));
  EXPECT_EQ(status.phase, Phase::Pending);
  EXPECT_EQ(status.message, "");
  EXPECT_FALSE(status.stable);
  EXPECT_FALSE(status.canary);
  ASSERT_TRUE(status.promotion);
  EXPECT_FALSE(status.promotion->at);
  ASSERT_EQ(status.weights.size(), 1U);
  EXPECT_EQ(status.weights[0].weight, 0);
  ASSERT_EQ(status.idle.size(), 1U);
  EXPECT_EQ(status.idle[0].revision, "b");
  EXPECT_TRUE(status.judgement.empty());
  ASSERT_EQ(status.conditions.size(), 1U);
  EXPECT_EQ(status.conditions[0].status, "Unknown");
  for (const char* text : {"null", "[]", "5", "\"x\"", "{}"})
    EXPECT_EQ(decode_release_status(Json::parse(text)).phase, Phase::Pending);
}

// A refused status would lose the release's memory, so nothing that is written may break a limit.
TEST(ReleaseStatus, WhatIsTooLongIsCutToTheSchemasLimits) {
  const std::string huge(100'000, 'x');
  auto status = full_status();
  status.message = status.selector = status.policy = huge;
  auto judgement = full_judgement();
  judgement.value = judgement.bound = judgement.message = huge;
  status.judgement.assign(1000, judgement);
  status.last_rollback->message = status.last_rollback->reason = huge;
  status.history.assign(1000, {huge, huge, at(1), at(2), huge});
  status.weights.assign(1000, {"aaa", 1});
  status.idle.assign(1000, {"aaa", at(1)});
  status.conditions.assign(1000, {huge, "Perhaps", huge, huge, 1, at(1)});
  const Json json = Json{{"status", encode_release_status(status)}}.flatten();
  const Json schema = load_schema("releases");
  for (const auto& [pointer, value] : json.items()) {
    const auto& field = schema_of(schema, api_test::shape_of_pointer(pointer));
    if (value.is_string() && field.contains("maxLength")) {
      EXPECT_LE(value.get<std::string>().size(), field.at("maxLength").get<std::size_t>())
          << pointer;
    }
  }
  for (const char* name : {"weights", "idle", "judgement", "history", "conditions"})
    EXPECT_EQ(encode_release_status(status).at(name).size(),
              schema_of(schema, std::string("status.") + name).at("maxItems"))
        << name;
  EXPECT_EQ(encode_release_status(status).at("conditions").at(0).at("status"), "Unknown");
}

TEST(ReleaseStatus, CutsFallBetweenCharacters) {
  std::string message;
  while (message.size() < 5000) message += "é";
  ReleaseStatus status;
  status.message = "x" + message;
  const Json json = encode_release_status(status);
  EXPECT_EQ(parse_json(dump_json(json)).value(), json);
  EXPECT_TRUE(json_text(json, {"message"}).ends_with("é…"));
}

TEST(PolicyStatus, WhatCanBeWrittenIsExactlyWhatTheSchemaHas) {
  CanaryPolicy policy;
  policy.observed_generation = 3;
  policy.conditions = {condition("Ready")};
  const Json json = encode_policy_status(policy);
  EXPECT_EQ(paths_in(json, "status"), schema_paths("canarypolicies"));
  const Json object{{"metadata", {{"name", "a"}}}, {"status", json}};
  const auto again = decode_policy(object);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->observed_generation, 3);
  EXPECT_EQ(again->conditions, policy.conditions);
}

}  // namespace
}  // namespace weir
