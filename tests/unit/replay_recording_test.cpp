#include <gtest/gtest.h>

#include "base/time_format.h"
#include "replay/recording.h"
#include "unit/replay_test_support.h"

namespace weir::replay_test {
namespace {

std::string refusal(const Json& recording) {
  const auto parsed = parse_recording(recording.dump());
  return parsed ? "" : parsed.error().message;
}

Json series(const std::string& revision, const Json& values) {
  return {{"metric", {{"revision", revision}}}, {"values", values}};
}

// Total and bad of one revision, as they were counted.
Json counted(const Json& bad, const Json& total) {
  return {{"objectives",
           {{"errors",
             {{"bad", answer_of(Json::array({series("a", bad)}))},
              {"total", answer_of(Json::array({series("a", total)}))}}}}}};
}

const Json kTotals = Json::parse(R"([[1000,"0"],[1005,"500"],[1010,"1000"],[1015,"1500"]])");
const Json kBads = Json::parse(R"([[1000,"0"],[1005,"1"],[1010,"2"],[1015,"3"]])");

#define EXPECT_PART(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST(Recording, KnowsItsSpanStepAndRevisions) {
  const auto recording = parse_recording(one_release(0.01).text());
  ASSERT_TRUE(recording) << recording.error().message;
  EXPECT_EQ(recording->from, at_second(1005));
  EXPECT_EQ(recording->to, at_second(7000));
  EXPECT_EQ(recording->step, seconds(5));
  const auto& totals = recording->objectives.find("errors")->second.find("total")->second;
  ASSERT_EQ(totals.size(), 2U);
  EXPECT_EQ(totals[0].revision, "a");
  EXPECT_EQ(totals[0].instance, "pod-0");
  EXPECT_EQ(totals[0].labels, R"({"pod":"pod-0","revision":"a"})");
  EXPECT_TRUE(recording->warnings.empty());
}

TEST(Recording, AListOfAnswersIsReadAsOne) {
  auto json = counted(kBads, kTotals);
  auto& total = json["objectives"]["errors"]["total"];
  // The next query begins where the last one ended.
  total = Json::array(
      {total,
       answer_of(Json::array({series("a", Json::parse(R"([[1015,"1500"],[1020,"2000"]])"))}))});
  const auto recording = parse_recording(json.dump());
  ASSERT_TRUE(recording) << recording.error().message;
  const auto& totals = recording->objectives.find("errors")->second.find("total")->second;
  ASSERT_EQ(totals.size(), 1U);
  EXPECT_EQ(totals[0].points.size(), 5U);
}

TEST(Recording, TheLabelOfTheRevisionCanBeNamed) {
  auto json = counted(kBads, kTotals);
  json["revisionLabel"] = "service";
  EXPECT_PART(refusal(json), "objectives.errors.bad.result[0].metric: found no label service");
}

TEST(Recording, ASeriesWithoutANewPointHasGone) {
  RecordedSeries one;
  one.points = {{at_second(10), 1}, {at_second(20), 2}, {at_second(1000), 3}};
  EXPECT_EQ(one.at(at_second(9)), nullptr);
  EXPECT_EQ(one.at(at_second(10))->value, 1);
  EXPECT_EQ(one.at(at_second(320))->value, 2);
  EXPECT_EQ(one.at(at_second(321)), nullptr);
}

TEST(Recording, NoBadRequestInAllThatTimeIsFine) {
  auto json = counted(kBads, kTotals);
  json["objectives"]["errors"]["bad"] = answer_of(Json::array());
  EXPECT_EQ(refusal(json), "");
  json["objectives"]["errors"]["total"] = answer_of(Json::array());
  EXPECT_PART(refusal(json), "objectives.errors.total: no series");
}

TEST(Recording, WhatIsNotFiniteIsLeftOutAndSaid) {
  const auto totals =
      Json::parse(R"([[1000,"0"],[1005,"NaN"],[1010,"+Inf"],[1015,"-Inf"],[1020,"2000"]])");
  const auto recording = parse_recording(counted(kBads, totals).dump());
  ASSERT_TRUE(recording);
  ASSERT_EQ(recording->warnings.size(), 1U);
  EXPECT_EQ(recording->warnings[0], "3 points are NaN or infinite and were left out");
}

TEST(Recording, RefusesCountsThatNoCounterCanHave) {
  EXPECT_PART(refusal(counted(Json::parse(R"([[1000,"-3"]])"), kTotals)),
              "objectives.errors.bad.result[0].values at 1970-01-01T00:16:40Z: found -3, a counter "
              "is never negative");
  EXPECT_PART(refusal(counted(kBads, Json::parse(R"([[1000,"1e300"]])"))), "allowed is 0 to 1e+15");
  EXPECT_PART(refusal(counted(kBads, Json::parse(R"([[1000,"many"]])"))),
              "found \"many\", must be a number");
}

TEST(Recording, RefusesMoreBadThanAll) {
  EXPECT_PART(refusal(counted(kTotals, kBads)),
              "objectives.errors: a has counted 1500 bad requests of 3 in all: are the queries "
              "swapped?");
}

// rate(), increase() or a division: a share above 1 is one of them.
TEST(Recording, RefusesWhatIsNoCumulativeCounter) {
  Json shares = Json::array();
  for (int i = 0; i < 40; ++i)
    shares.push_back(Json::array({1000 + 5 * i, i % 2 == 0 ? "1.3" : "0.2"}));
  EXPECT_PART(refusal(counted(shares, kTotals)),
              "falls 20 times in 40 points, so it is no cumulative counter");
}

TEST(Recording, AFewResetsAreNone) {
  const auto reset = Json::parse(R"([[1000,"900"],[1005,"1000"],[1010,"20"],[1015,"60"]])");
  EXPECT_EQ(refusal(counted(kBads, reset)), "");
}

TEST(Recording, RefusesAClockThatGoesBack) {
  EXPECT_PART(refusal(counted(kBads, Json::parse(R"([[1000,"1"],[1010,"2"],[1005,"3"]])"))),
              "time goes back from 1970-01-01T00:16:50Z to 1970-01-01T00:16:45Z");
  EXPECT_PART(refusal(counted(kBads, Json::parse(R"([[1000,"1"],[1000,"2"]])"))), "time goes back");
  for (const auto* time : {"-1", "1e300", "9999999999"})
    EXPECT_PART(refusal(counted(kBads, Json::parse("[[" + std::string(time) + ",\"1\"]]"))),
                "must be seconds since 1970");
}

TEST(Recording, RefusesAnswersOfAnotherKind) {
  auto json = counted(kBads, kTotals);
  auto& bad = json["objectives"]["errors"]["bad"];
  bad["data"]["resultType"] = "vector";
  EXPECT_PART(refusal(json),
              "must be an answer of /api/v1/query_range (resultType matrix), found "
              "resultType vector");
  bad = {{"status", "error"}, {"error", "parse error at char 3"}};
  EXPECT_PART(refusal(json), "Prometheus refused the query: parse error at char 3");
  for (const Json& odd : {Json(), Json(7), Json("text"), Json::array({1, 2}), Json::object()}) {
    bad = odd;
    EXPECT_NE(refusal(json), "") << odd;
  }
  for (const Json& odd : {Json(), Json(7), Json::array({1}), Json::array({Json::array({1, 2})}),
                          Json::array({Json::array({"1", "2"})}), Json::array({Json::array()})}) {
    EXPECT_NE(refusal(counted(odd, kTotals)), "") << odd;
  }
}

TEST(Recording, RefusesAnObjectiveThatIsNotWhole) {
  auto json = counted(kBads, kTotals);
  json["objectives"]["errors"].erase("total");
  EXPECT_PART(refusal(json), "must have \"bad\" and \"total\"");
  json["objectives"]["errors"]["all"] = 1;
  EXPECT_PART(refusal(json), "found \"all\", must be one of bad, good, total, value");
  for (const Json& odd : {Json(), Json(7), Json::object(), Json::array({1})}) {
    json["objectives"] = odd;
    EXPECT_PART(refusal(json), "objectives: must be an object");
  }
  for (const Json& odd : {Json(), Json(7), Json::array({1})}) {
    json["objectives"] = Json{{"errors", odd}};
    EXPECT_PART(refusal(json), "objectives.errors: must be an object of answers");
  }
}

// Cut anywhere, it is refused and crashes nobody.
TEST(Recording, RefusesWhatIsCutOff) {
  const auto whole = counted(kBads, kTotals).dump();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto cut = parse_recording(std::string_view(whole).substr(0, length));
    ASSERT_FALSE(cut) << length;
    EXPECT_EQ(cut.error().kind, ErrorKind::Parse);
  }
  EXPECT_FALSE(parse_recording(std::string(200'000, '[')));
}

TEST(Recording, RefusesWhatIsTooLarge) {
  const std::string large(kMaxRecordingBytes + 1, ' ');
  const auto refused = parse_recording(large);
  ASSERT_FALSE(refused);
  EXPECT_PART(refused.error().message, "the recording is larger than 32 MiB");
  auto json = counted(kBads, kTotals);
  Json many = Json::array();
  for (std::size_t i = 0; i <= kMaxRecordedSeries; ++i) {
    many.push_back(series("a", kTotals));
    many.back()["metric"]["pod"] = std::to_string(i);
  }
  json["objectives"]["errors"]["total"] = answer_of(many);
  EXPECT_PART(refusal(json), "objectives.errors.total: more than 1000 series");
  Json revisions = Json::array();
  for (std::size_t i = 0; i <= kMaxRecordedRevisions; ++i)
    revisions.push_back(series(std::to_string(i), kTotals));
  json["objectives"]["errors"]["total"] = answer_of(revisions);
  json["objectives"]["errors"]["bad"] = answer_of(Json::array());
  EXPECT_PART(refusal(json), "501 revisions, at most 500 in one recording");
}

TEST(Recording, MustHaveThePolicysObjectives) {
  const auto recording = parse_recording(counted(kBads, kTotals).dump());
  ASSERT_TRUE(recording);
  auto policy = usual_policy();
  EXPECT_EQ(recorded_objectives(*recording, policy).value(), std::vector<std::string>{"errors"});
  policy.objectives[0].ratio->queries = {"", "good", "total"};
  EXPECT_PART(recorded_objectives(*recording, policy).error().message,
              "objectives.errors: the policy's objective has \"good\"");
  policy.objectives[0].name = "other";
  EXPECT_PART(recorded_objectives(*recording, policy).error().message,
              "has no ratio objective of the policy");
}

}  // namespace
}  // namespace weir::replay_test
