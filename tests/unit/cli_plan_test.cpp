#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

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
      badQuery: 'bad{s="$(service)"}'
      totalQuery: 'all{s="$(service)"}'
      atMost: "5%"
      versusStable: {}
  judge: {interval: 5s, warmup: 10s}
)yaml";

Ran plan(const std::vector<std::string>& more, const std::string& policy = kPolicy) {
  std::vector<std::string> words{"plan",         "-f", "-",      "--rps", "100",
                                 "--error-rate", "1%", "--runs", "20"};
  words.insert(words.end(), more.begin(), more.end());
  return run(words, policy);
}

TEST(PlanCommand, TellsEachStep) {
  const auto ran = plan({});
  EXPECT_EQ(ran.code, exit_code::kOk) << ran.err;
  EXPECT_PART(ran.out,
              "policy standard, objective errors: at most 5%; no more than stable's; "
              "evidence of 200 is a breach\n100 requests a second, 1% of stable's bad; "
              "each case rehearsed 20 times\n");
  EXPECT_PART(ran.out, "WEIGHT   FOR");
  EXPECT_PART(ran.out, "\n5 %      1m");
  EXPECT_PART(ran.out, "\n100 %    2m10s");
  EXPECT_PART(ran.out, "a healthy release is promoted after 2m10s, and then watched for 2m; ");
  EXPECT_EQ(plan({}).out, ran.out);
}

TEST(PlanCommand, SpeaksJson) {
  const auto ran = plan({"-o", "json"});
  const auto json = parse_json(ran.out);
  ASSERT_TRUE(json) << ran.out << ran.err;
  EXPECT_EQ((*json)["policy"], "standard");
  EXPECT_EQ((*json)["steps"].size(), 3U);
  EXPECT_EQ((*json)["steps"][0]["weight"], 5);
  EXPECT_EQ((*json)["steps"][0]["regressions"].size(), 3U);
  EXPECT_EQ((*json)["healthy"]["secondsToPromotion"], 130.0);
}

TEST(PlanCommand, TakesASharePlainOrInPercent) {
  const auto with = [](const std::string& rate) {
    return run({"plan", "-f", "-", "--rps", "50", "--error-rate", rate, "--runs", "20"}, kPolicy);
  };
  EXPECT_EQ(with("1%").out, with("0.01").out);
  for (const auto* wrong : {"0", "0%", "1", "150%", "-1%", "nan", "inf", "many", ""}) {
    const auto ran = with(wrong);
    EXPECT_EQ(ran.code, exit_code::kUsage) << wrong;
    EXPECT_EQ(ran.out, "");
    EXPECT_PART(ran.err, "--error-rate: found \"" + std::string(wrong) + "\"");
  }
}

TEST(PlanCommand, RefusesOtherWords) {
  EXPECT_PART(run({"plan"}).err, "--filename is missing");
  EXPECT_PART(run({"plan", "-f", "-"}).err, "--rps is missing");
  for (const auto* wrong : {"0", "-5", "nan", "inf", "fast", "1e9"}) {
    const auto ran = run({"plan", "-f", "-", "--rps", wrong, "--error-rate", "1%"}, kPolicy);
    EXPECT_EQ(ran.code, exit_code::kUsage) << wrong;
    EXPECT_PART(ran.err, "--rps: found");
  }
  EXPECT_EQ(plan({"--runs", "3"}).code, exit_code::kUsage);
  EXPECT_EQ(plan({"--runs", "20.5"}).code, exit_code::kUsage);
  EXPECT_EQ(plan({"--objective", "lag"}).code, exit_code::kFailed);
}

TEST(PlanCommand, NamesWhatIsWrongWithThePolicy) {
  const auto failed = [](const std::string& policy, const std::vector<std::string>& more = {}) {
    const auto ran = plan(more, policy);
    EXPECT_EQ(ran.code, exit_code::kFailed);
    EXPECT_EQ(ran.out, "");
    return ran.err;
  };
  EXPECT_PART(failed(""), "found no CanaryPolicy");
  EXPECT_PART(failed("kind: [").substr(0), "line ");
  auto wrong = kPolicy;
  wrong.replace(wrong.find("hold: 1m"), 8, "hold: 1x");
  EXPECT_PART(failed(wrong), "-: spec.steps[0].hold: ");
  auto second = kPolicy;
  second.replace(second.find("standard"), 8, "strict");
  const auto both = kPolicy + "---\n" + second;
  EXPECT_PART(failed(both), "found several, say which with --policy: standard, strict");
  EXPECT_PART(failed(both, {"--policy", "lax"}),
              "found no CanaryPolicy lax, only standard, strict");
  EXPECT_PART(plan({"--policy", "strict"}, both).out, "policy strict, ");
  EXPECT_PART(run({"plan", "-f", "/nowhere.yaml", "--rps", "1", "--error-rate", "1%"}).err,
              "/nowhere.yaml");
}

// Files on disk, as people have them.
struct Files {
  kube_test::TempFolder folder;
  std::string policy = folder.write("policy.yaml", kPolicy);
  std::string recording;

  explicit Files(const std::string& text) : recording(folder.write("recording.json", text)) {}
  Ran backtest(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"backtest", "-f", policy, "--recording", recording});
    return run(more);
  }
};

TEST(BacktestCommand, TellsWhatThePolicyWouldHaveDone) {
  const Files files(replay_test::one_release(0.2).text());
  const auto ran = files.backtest();
  EXPECT_EQ(ran.code, exit_code::kOk) << ran.err;
  EXPECT_PART(ran.out,
              "policy standard over 1970-01-01T00:16:45Z to 1970-01-01T01:56:40Z, a point "
              "every 5s; judged: errors\n");
  EXPECT_PART(ran.out, "a → b     1970-01-01T00:46:40Z   Promoted after 10m");
  EXPECT_PART(ran.out, " at 5 % by errors, ");
  EXPECT_PART(ran.out, "stable against itself (every other point of time): ");
}

TEST(BacktestCommand, SpeaksJson) {
  const Files files(replay_test::one_release(0.01).text());
  const auto ran = files.backtest({"-o", "json", "--releases-a-year", "100"});
  const auto json = parse_json(ran.out);
  ASSERT_TRUE(json) << ran.out << ran.err;
  EXPECT_EQ((*json)["releases"][0]["policy"]["ending"], "Promoted");
  EXPECT_EQ((*json)["releases"][0]["recorded"]["ending"], "Promoted");
  EXPECT_EQ((*json)["stableAgainstItself"]["releasesAYear"], 100.0);
}

TEST(BacktestCommand, WritesAReportThatNeedsNothingElse) {
  auto json = replay_test::one_release(0.2).json();
  for (const auto* role : {"bad", "total"})
    for (auto& series : json["objectives"]["errors"][role]["data"]["result"])
      if (series["metric"]["revision"] == "b") series["metric"]["revision"] = "<script>&\"";
  const Files files(json.dump());
  const auto report = files.folder.path() + "/report.html";
  const auto ran = files.backtest({"--html", report});
  EXPECT_EQ(ran.code, exit_code::kOk) << ran.err;
  std::ifstream stream(report);
  const std::string html{std::istreambuf_iterator<char>(stream), {}};
  EXPECT_PART(html, "<svg ");
  EXPECT_PART(html, "a → &lt;script&gt;&amp;&quot;");
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_EQ(html.find("http"), std::string::npos);
  EXPECT_EQ(html.find("nan"), std::string::npos);
  EXPECT_EQ(files.backtest({"--html", "/nowhere/report.html"}).code, exit_code::kFailed);
}

// 100 MB are not even read.
TEST(BacktestCommand, RefusesAFileThatIsTooLarge) {
  const Files files("{");
  std::filesystem::resize_file(files.recording, std::size_t{100} << 20U);
  const auto ran = files.backtest();
  EXPECT_EQ(ran.code, exit_code::kFailed);
  EXPECT_PART(ran.err, "recording.json");
  EXPECT_PART(ran.err, "33554432");
}

TEST(BacktestCommand, RefusesWhatItCannotRead) {
  EXPECT_PART(run({"backtest"}).err, "--filename is missing");
  EXPECT_PART(run({"backtest", "-f", "x"}).err, "--recording or --prometheus is missing");
  for (const auto* text : {"", "{", "[]", "{\"objectives\": {}}", "null"}) {
    const Files files(text);
    const auto ran = files.backtest();
    EXPECT_EQ(ran.code, exit_code::kFailed) << text;
    EXPECT_EQ(ran.out, "");
    EXPECT_PART(ran.err, "recording.json: ");
  }
  const Files files(replay_test::one_release(0.01).text());
  EXPECT_EQ(files.backtest({"--releases-a-year", "0"}).code, exit_code::kFailed);
  EXPECT_EQ(files.backtest({"--releases-a-year", "x"}).code, exit_code::kFailed);
  EXPECT_EQ(files.backtest({"-o", "yaml"}).code, exit_code::kUsage);
}

}  // namespace
}  // namespace weir::cli_test
