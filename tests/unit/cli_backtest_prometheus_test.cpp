#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>

#include "base/mutex.h"
#include "net/http_server.h"
#include "unit/cli_test_support.h"
#include "unit/replay_test_support.h"

namespace weir::cli_test {
namespace {

#define EXPECT_PART(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

const std::string kPolicy = R"yaml(apiVersion: weir.dev/v1alpha1
kind: CanaryPolicy
metadata: {name: standard}
spec:
  steps: [{weight: 5, hold: 1m}, {weight: 25, hold: 1m}, {weight: 100}]
  watch: 2m
  sources: [{name: p, prometheus: {url: "http://p:9090"}}]
  objectives:
  - name: errors
    ratio:
      badQuery: 'bad{s="$(namespace)/$(service)"}'
      totalQuery: 'all{s="$(namespace)/$(service)"}'
      atMost: "5%"
      versusStable: {}
  judge: {interval: 5s, warmup: 10s}
)yaml";

constexpr const char* kOld = "bbbbbbbbbb";
constexpr const char* kNew = "cccccccccc";

std::string decoded(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    result += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
    i += 2;
  }
  return result;
}

std::map<std::string, std::string> form_of(const std::string& body) {
  std::map<std::string, std::string> form;
  std::istringstream stream(body);
  for (std::string field; std::getline(stream, field, '&');) {
    const auto equals = field.find('=');
    form[field.substr(0, equals)] = decoded(field.substr(equals + 1));
  }
  return form;
}

// Answers from a recording: the points of a series that a query names, and those only.
class FakePrometheus {
 public:
  explicit FakePrometheus(Json recording) : recording_(std::move(recording)) {
    HttpServerOptions options;
    options.max_body = std::size_t{1} << 20U;
    server_ = *serve_http(
        "127.0.0.1", 0, [this](const ServedRequest& request) { return answer(request); }, options);
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }
  void refuse(int status, std::string body) {
    Lock lock(mutex_);
    refusal_ = HttpReply{status, "application/json", std::move(body)};
  }
  std::string authorization() const {
    Lock lock(mutex_);
    return authorization_;
  }
  int asked() const {
    Lock lock(mutex_);
    return asked_;
  }
  std::string search() const {
    Lock lock(mutex_);
    return search_;
  }

 private:
  HttpReply answer(const ServedRequest& request) {
    Lock lock(mutex_);
    ++asked_;
    const auto header = request.headers.find("authorization");
    authorization_ = header == request.headers.end() ? "" : header->second;
    if (refusal_) return *refusal_;
    auto form = form_of(request.body);
    if (request.path == "/api/v1/series") {
      search_ = form["match[]"];
      Json series = Json::array();
      for (const auto* name : {kNew, kOld, kOld})
        series.push_back({{"__name__", "all"}, {"s", std::string("production/shop-") + name}});
      return reply({{"status", "success"}, {"data", series}});
    }
    if (request.path != "/api/v1/query_range") return HttpReply{404};
    const double step = std::stod(form["step"]);
    const double points = (std::stod(form["end"]) - std::stod(form["start"])) / step + 1;
    if (points > 11'000)
      return HttpReply{400, "application/json", R"({"error": "exceeded maximum resolution"})"};
    return reply(replay_test::answer_of(range(form)));
  }

  Json range(std::map<std::string, std::string>& form) const {
    if (form["query"] == "max(lag)") return Json::array();
    const auto* role = form["query"].find("bad{") != std::string::npos ? "bad" : "total";
    Json result = Json::array();
    for (auto series : recording_["objectives"]["errors"][role]["data"]["result"]) {
      auto& name = series["metric"]["revision"];
      const auto asked = std::string("shop-") + (name == "a" ? kOld : kNew) + "\"";
      if (form["query"].find(asked) == std::string::npos) continue;
      Json values = Json::array();
      for (const auto& point : series["values"])
        if (point[0] >= std::stod(form["start"]) && point[0] <= std::stod(form["end"]))
          values.push_back(point);
      series["values"] = values;
      series["metric"] = {{"weir_revision", name == "a" ? kOld : kNew}};
      if (!values.empty()) result.push_back(series);
    }
    return result;
  }

  static HttpReply reply(const Json& json) { return {200, "application/json", json.dump()}; }

  const Json recording_;
  mutable Mutex mutex_;
  std::optional<HttpReply> refusal_ GUARDED_BY(mutex_){};
  std::string authorization_ GUARDED_BY(mutex_){};
  std::string search_ GUARDED_BY(mutex_){};
  int asked_ GUARDED_BY(mutex_) = 0;
  std::unique_ptr<HttpServer> server_;  // last: its threads use the rest
};

Ran backtest(const FakePrometheus& prometheus, const std::vector<std::string>& more = {},
             const std::string& policy = kPolicy) {
  // At a step of 1 s, 6000 s are two parts.
  std::vector<std::string> words{"backtest",
                                 "-f",
                                 "-",
                                 "--prometheus",
                                 prometheus.url(),
                                 "--release",
                                 "production/shop",
                                 "--from",
                                 "1970-01-01T00:16:40Z",
                                 "--to",
                                 "1970-01-01T01:56:40Z",
                                 "--step",
                                 "1s"};
  words.insert(words.end(), more.begin(), more.end());
  return run(words, policy);
}

TEST(BacktestCommand, AsksPrometheusForThePast) {
  const FakePrometheus prometheus(replay_test::one_release(0.2).json());
  const auto ran = backtest(prometheus);
  EXPECT_EQ(ran.code, exit_code::kOk) << ran.err;
  EXPECT_PART(ran.out, "bbbbbbbbbb → cccccccccc");
  EXPECT_PART(ran.out, " at 5 % by errors, ");
  EXPECT_EQ(prometheus.asked(), 1 + 2 * 2);  // revisions; bad and total of two parts
  EXPECT_EQ(prometheus.search(), "all{s=~\"production/shop-[bcdfghjklmnpqrstvwxz2456789]{10}\"}");
  EXPECT_EQ(prometheus.authorization(), "");
  const FakePrometheus good(replay_test::one_release(0.01).json());
  EXPECT_PART(backtest(good).out, "promoted after ");
}

TEST(BacktestCommand, SavesWhatPrometheusSaid) {
  const FakePrometheus prometheus(replay_test::one_release(0.2).json());
  const kube_test::TempFolder folder;
  const auto file = folder.path() + "/saved.json";
  const auto live = backtest(prometheus, {"--save", file});
  EXPECT_EQ(live.code, exit_code::kOk) << live.err;
  const auto replayed = run({"backtest", "-f", "-", "--recording", file}, kPolicy);
  EXPECT_EQ(replayed.out, live.out) << replayed.err;
  EXPECT_EQ(backtest(prometheus, {"--save", "/nowhere/x.json"}).code, exit_code::kFailed);
}

TEST(BacktestCommand, WhatPrometheusHasNothingOfIsLeftOut) {
  auto json = replay_test::one_release(0.2).json();
  auto policy = kPolicy;
  policy.replace(policy.find("  judge:"), 0,
                 "  - {name: lag, value: {query: 'max(lag)', atMost: \"10\"}}\n");
  const FakePrometheus prometheus(json);
  const auto ran = backtest(prometheus, {}, policy);
  EXPECT_PART(ran.out, " at 5 % by errors, ") << ran.err;
  EXPECT_PART(ran.out, "not recorded, and left out: lag");
  // Nothing bad at all is a good past.
  json["objectives"]["errors"]["bad"] = replay_test::answer_of(Json::array());
  const FakePrometheus spotless(json);
  const kube_test::TempFolder folder;
  const auto file = folder.path() + "/saved.json";
  const auto live = backtest(spotless, {"--save", file});
  EXPECT_PART(live.out, "promoted after ") << live.err;
  EXPECT_EQ(run({"backtest", "-f", "-", "--recording", file}, kPolicy).out, live.out);
}

TEST(BacktestCommand, KnowsWhoItIsToPrometheus) {
  const FakePrometheus prometheus(replay_test::one_release(0.01).json());
  const kube_test::TempFolder folder;
  const auto token = folder.write("token", "secret\n");
  backtest(prometheus, {"--token-file", token});
  EXPECT_EQ(prometheus.authorization(), "Bearer secret");
  backtest(prometheus, {"--basic-auth-file", folder.write("login", "me:word")});
  EXPECT_EQ(prometheus.authorization(), "Basic bWU6d29yZA==");
  const auto lines = folder.write("lines", "secret\nX-Other: 1");
  for (const auto& odd : {lines, folder.write("empty", ""), std::string("/nowhere")}) {
    const auto ran = backtest(prometheus, {"--token-file", odd});
    EXPECT_EQ(ran.code, exit_code::kFailed) << odd;
    EXPECT_PART(ran.err, "--token-file: ");
    EXPECT_EQ(ran.err.find("secret"), std::string::npos);
  }
  EXPECT_PART(backtest(prometheus, {"--token-file", token, "--basic-auth-file", token}).err,
              "only one of them");
  EXPECT_PART(backtest(prometheus, {"--ca-file", "/nowhere"}).err, "--ca-file: ");
}

TEST(BacktestCommand, TellsWhatPrometheusRefused) {
  FakePrometheus prometheus(replay_test::one_release(0.01).json());
  const auto refused = [&](int status, const std::string& body) {
    prometheus.refuse(status, body);
    const auto ran = backtest(prometheus);
    EXPECT_EQ(ran.out, "") << status;
    return ran;
  };
  EXPECT_PART(refused(422, R"({"error": "too many samples"})").err, "HTTP 422: too many samples");
  EXPECT_EQ(refused(401, "secret page").code, exit_code::kForbidden);
  EXPECT_EQ(refused(401, "secret page").err.find("secret page"), std::string::npos);
  EXPECT_EQ(refused(503, "").code, exit_code::kFailed);
  EXPECT_EQ(refused(200, "{").code, exit_code::kFailed);
  EXPECT_EQ(refused(200, "[]").code, exit_code::kFailed);
  EXPECT_PART(refused(200, R"({"status": "success", "data": []})").err,
              "Prometheus knows no revision of production/shop in that time");
  EXPECT_EQ(refused(302, "").code, exit_code::kFailed);
}

TEST(BacktestCommand, TakesNoMoreOfAnAnswerThanItCanHold) {
  FakePrometheus prometheus(replay_test::one_release(0.01).json());
  prometheus.refuse(200, std::string(std::size_t{40} << 20U, ' '));
  const auto ran = backtest(prometheus);
  EXPECT_EQ(ran.code, exit_code::kFailed);
  EXPECT_PART(ran.err, "33554432");
}

TEST(BacktestCommand, RefusesOtherWordsForPrometheus) {
  const FakePrometheus prometheus(replay_test::one_release(0.01).json());
  const auto refused = [&](const std::vector<std::string>& more) {
    const auto ran = backtest(prometheus, more);
    EXPECT_EQ(ran.code, exit_code::kUsage) << more.back();
    return ran.err;
  };
  for (const auto* odd : {"shop", "production/", "/shop", "a/b/c", "A/b", "a/b\"", ""})
    EXPECT_PART(refused({"--release", odd}), "must be NAMESPACE/NAME");
  for (const auto* odd : {"", "yesterday", "-1h", "2026-13-01T00:00:00Z"})
    EXPECT_PART(refused({"--from", odd}), "must be a time like");
  EXPECT_PART(refused({"--to", "1960-01-01T00:00:00Z"}), "must be before");
  for (const auto* odd : {"", "0s", "10ms", "x"}) EXPECT_PART(refused({"--step", odd}), "--step: ");
  EXPECT_PART(refused({"--recording", "x"}), "only one of them");
  EXPECT_EQ(prometheus.asked(), 0);
  EXPECT_PART(run({"backtest", "-f", "x", "--recording", "y", "--save", "z"}).err,
              "--save: only with --prometheus");
  EXPECT_PART(run({"backtest", "-f", "x", "--prometheus", "http://x"}).err, "--release is missing");
  EXPECT_PART(backtest(prometheus, {"--prometheus", "ftp://x"}).err, "--prometheus: ");
  EXPECT_PART(backtest(prometheus, {"--from", "90000h", "--to", "1h"}).err,
              "queries would be needed");
  EXPECT_PART(backtest(prometheus, {"--revisions", "zzz"}).err, "no series");
}

}  // namespace
}  // namespace weir::cli_test
