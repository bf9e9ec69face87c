#include <gtest/gtest.h>

#include "delivery_scene.h"
#include "kube_test_support.h"
#include "plugins/factories.h"

namespace weir::test {
namespace {

using kube_test::FakeHttpClient;

const SystemClock kClock;

Result<std::vector<MetricSample>> ask(FakeHttpClient& http) {
  return prometheus_provider().measure({{"bad", "e{code=~\"5..\"}"}, {"total", "e"}}, http,
                                       Deadline::after(kClock, seconds(5)));
}

Result<std::vector<MetricSample>> answer(int status, const std::string& body) {
  FakeHttpClient http;
  http.will_answer(status, body);
  return ask(http);
}

std::string vector_of(const std::string& items) {
  return R"({"status":"success","data":{"resultType":"vector","result":[)" + items + "]}}";
}

std::string sample(const std::string& role, const std::string& labels, const std::string& value) {
  return R"({"metric":{"weir_role":")" + role + "\"" + labels + R"(},"value":[1000.5,")" + value +
         R"("]})";
}

TEST(Prometheus, AsksForEverythingAtOneInstant) {
  FakeHttpClient http;
  http.will_answer(200, vector_of(""));
  const auto nothing = ask(http);
  ASSERT_TRUE(nothing) << nothing.error().message;
  EXPECT_TRUE(nothing->empty());
  ASSERT_EQ(http.requests.size(), 1U);
  EXPECT_EQ(http.requests[0].method, "POST");
  EXPECT_EQ(http.requests[0].target, "/api/v1/query");
  EXPECT_NE(http.requests[0].body.find(
                "label_replace%28%28e%0A%29%2C%20%22weir_role%22%2C%20%22total%22"),
            std::string::npos)
      << http.requests[0].body;
}

TEST(Prometheus, AsksForThePastMinuteByMinute) {
  FakeHttpClient http;
  http.will_answer(
      200, R"({"status":"success","data":{"resultType":"matrix","result":[)"
           R"({"metric":{"weir_role":"stable total"},"values":[[60,"5"],[120,"NaN"],[180,"x"],7]},)"
           R"({"metric":{},"values":{}}]}})");
  const auto past = prometheus_provider().history(
      {{"stable total", "e"}}, {at_second(60), at_second(3600)}, http, Deadline(SteadyTime::max()));
  ASSERT_TRUE(past) << past.error().message;
  ASSERT_EQ(past->size(), 1U);
  EXPECT_EQ(past->at(0).role, "stable total");
  EXPECT_EQ(past->at(0).value, 5);
  EXPECT_EQ(past->at(0).at, at_second(60));
  EXPECT_EQ(http.requests[0].target, "/api/v1/query_range");
  EXPECT_NE(http.requests[0].body.find("sum%28e%0A%29"), std::string::npos);
  EXPECT_TRUE(http.requests[0].body.ends_with("&start=60&end=3600&step=60"));
  http.will_answer(200, R"({"status":"success","data":{}})");
  EXPECT_EQ(prometheus_provider().history({}, {}, http, Deadline(SteadyTime::max())).error().kind,
            ErrorKind::Parse);
}

TEST(Prometheus, TellsWhatItWouldHaveBeenToldAtEachInstantOfASpan) {
  FakeHttpClient http;
  http.will_answer(
      200,
      R"({"status":"success","data":{"resultType":"matrix","result":[)"
      R"({"metric":{"weir_role":"total","pod":"a"},"values":[[10.5,"5"],[20.5,"9"],[30.5,"NaN"]]},)"
      R"({"metric":{"weir_role":"time of total","pod":"a"},"values":[[10.5,"8"],[20.5,"18"]]},)"
      R"({"metric":{"weir_role":"total"},"values":7}]}})");
  const auto answers =
      prometheus_provider().measure_span({{"total", "e"}}, {at_second(10.5), at_second(31)},
                                         seconds(10), http, Deadline(SteadyTime::max()));
  ASSERT_TRUE(answers) << answers.error().message;
  EXPECT_EQ(http.requests[0].target, "/api/v1/query_range");
  EXPECT_TRUE(http.requests[0].body.ends_with("&start=10.5&end=31&step=10"));
  ASSERT_EQ(answers->size(), 3U);
  ASSERT_EQ(answers->at(0).size(), 1U);
  EXPECT_EQ(answers->at(0).at(0).series, R"({"pod":"a"})");
  EXPECT_EQ(answers->at(0).at(0).value, 5);
  EXPECT_EQ(answers->at(0).at(0).at, at_second(8));
  EXPECT_EQ(answers->at(1).at(0).value, 9);
  EXPECT_EQ(answers->at(1).at(0).at, at_second(18));
  EXPECT_TRUE(answers->at(2).empty());
}

TEST(Prometheus, GivesEachSampleItsOwnTime) {
  const auto samples = answer(200, vector_of(sample("total", R"(,"pod":"a")", "42") + "," +
                                             sample("time of total", R"(,"pod":"a")", "998.25")));
  ASSERT_TRUE(samples);
  ASSERT_EQ(samples->size(), 1U);
  EXPECT_EQ(samples->at(0).role, "total");
  EXPECT_EQ(samples->at(0).value, 42);
  EXPECT_EQ(samples->at(0).at, at_second(998.25));
}

TEST(Prometheus, FallsBackToTheTimeOfTheEvaluation) {
  EXPECT_EQ(answer(200, vector_of(sample("total", "", "42")))->at(0).at, at_second(1000.5));
}

TEST(Prometheus, NaNAndInfinityAreNoSamples) {
  for (const auto* value : {"NaN", "+Inf", "-Inf", "", "12x"}) {
    const auto samples = answer(200, vector_of(sample("total", "", value)));
    ASSERT_TRUE(samples);
    EXPECT_TRUE(samples->empty()) << value;
  }
}

TEST(Prometheus, SaysWhatTheServerSaid) {
  const auto refused = answer(400, R"({"status":"error","error":"parse error: unexpected }"})");
  EXPECT_EQ(refused.error().kind, ErrorKind::Invalid);
  EXPECT_NE(refused.error().message.find("unexpected }"), std::string::npos);
  EXPECT_EQ(answer(403, "").error().kind, ErrorKind::Forbidden);
  EXPECT_EQ(answer(503, "").error().kind, ErrorKind::Unavailable);
}

TEST(Prometheus, AnAnswerOfAnotherKindOfServerIsNoData) {
  for (const auto* body : {"", "<html>", "[]", "{}", R"({"status":"success"})",
                           R"({"status":"success","data":{"result":7}})"})
    EXPECT_EQ(answer(200, body).error().kind, ErrorKind::Parse) << body;
  EXPECT_TRUE(answer(200, vector_of(R"({"metric":5,"value":"x"},{},7)")));
}

TEST(Prometheus, MoreSeriesThanTheLimitAreRefused) {
  std::string items;
  for (std::size_t i = 0; i <= 2 * kMaxSeries; ++i)
    items += (i == 0 ? "" : ",") + sample("total", R"(,"pod":")" + std::to_string(i) + "\"", "1");
  EXPECT_NE(answer(200, vector_of(items)).error().message.find("1000 series"), std::string::npos);
}

}  // namespace
}  // namespace weir::test
