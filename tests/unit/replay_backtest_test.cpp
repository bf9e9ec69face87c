#include <gtest/gtest.h>

#include <functional>

#include "replay/backtest.h"
#include "unit/replay_test_support.h"

namespace weir::replay_test {
namespace {

#define EXPECT_PART(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

Backtest test(const Recorder& recorder, const CanaryPolicySpec& policy = usual_policy()) {
  const auto recording = parse_recording(recorder.text());
  EXPECT_TRUE(recording) << recording.error().message;
  auto result = backtest(policy, *recording, std::nullopt);
  EXPECT_TRUE(result) << result.error().message;
  return *std::move(result);
}

long long count_of(const Json& point) { return std::stoll(point[1].get<std::string>()); }

TEST(Backtest, FindsTheReleaseOfARecording) {
  const auto result = test(one_release(0.01));
  ASSERT_EQ(result.releases.size(), 1U);
  const auto& past = result.releases[0].past;
  EXPECT_EQ(past.stable, "a");
  EXPECT_EQ(past.canary, "b");
  EXPECT_EQ(past.from, at_second(2800));
  EXPECT_EQ(past.until, at_second(3400));
  EXPECT_EQ(past.ending, PastEnding::Promoted);
}

TEST(Backtest, AGoodReleaseWouldHaveBeenPromoted) {
  const auto result = test(one_release(0.01));
  const auto& release = result.releases[0];
  EXPECT_EQ(release.ending, Ending::Promoted) << release.message;
  EXPECT_EQ(release.decided, at_second(2800 + 240));
  EXPECT_DOUBLE_EQ(release.bad_after, 0);
  EXPECT_FALSE(release.points.empty());
}

TEST(Backtest, ABadOneWouldHaveBeenTakenBackAndWhen) {
  const auto result = test(one_release(0.2));
  const auto& release = result.releases[0];
  ASSERT_EQ(release.ending, Ending::RolledBack) << release.message;
  EXPECT_EQ(release.weight, 5);
  EXPECT_EQ(release.objective, "errors");
  EXPECT_GE(release.decided, at_second(2810));  // the end of the warm-up
  EXPECT_LT(release.decided, at_second(2860));
  EXPECT_PART(release.message, "requests bad");
  EXPECT_GT(release.bad_after, 1000);  // 10 minutes of 2 a second
  EXPECT_DOUBLE_EQ(release.points[1].stable.total > 0, true);
}

TEST(Backtest, TellsARollbackFromAPromotion) {
  Recorder recorder;
  recorder.add({1800, {{"a", {50, 0.01}}}})
      .add({120, {{"a", {40, 0.01}}, {"b", {10, 0.3}}}})
      .add({1800, {{"a", {50, 0.01}}}})
      .add({120, {{"a", {40, 0.01}}, {"b", {10, 0.3}}}})
      .add({60, {{"a", {40, 0.01}}, {"c", {10, 0.01}}}});
  const auto result = test(recorder);
  ASSERT_EQ(result.releases.size(), 3U);
  EXPECT_EQ(result.releases[0].past.ending, PastEnding::TakenBack);
  EXPECT_EQ(result.releases[1].past.ending, PastEnding::Superseded);
  EXPECT_EQ(result.releases[2].past.ending, PastEnding::Unfinished);
  EXPECT_EQ(result.releases[2].past.canary, "c");
  EXPECT_EQ(result.releases[1].ending, Ending::RolledBack);
  EXPECT_EQ(result.releases[2].ending, Ending::UnderWay);
}

TEST(Backtest, AReleaseThatFollowsAtOnceIsHeldAgainstTheOneBefore) {
  Recorder recorder;
  recorder.add({1800, {{"a", {50, 0.01}}}})
      .add({120, {{"a", {40, 0.01}}, {"b", {10, 0.01}}}})
      .add({60, {{"b", {50, 0.01}}}})
      .add({120, {{"b", {40, 0.01}}, {"c", {10, 0.3}}}})
      .add({60, {{"b", {50, 0.01}}}})
      .add({120, {{"b", {40, 0.01}}, {"d", {10, 0.01}}}});
  const auto result = test(recorder);
  ASSERT_EQ(result.releases.size(), 3U);
  EXPECT_EQ(result.releases[0].past.ending, PastEnding::Promoted);
  EXPECT_EQ(result.releases[0].past.until, at_second(2920));
  EXPECT_EQ(result.releases[1].past.stable, "b");
  EXPECT_EQ(result.releases[1].past.ending, PastEnding::TakenBack);
  EXPECT_EQ(result.releases[1].ending, Ending::RolledBack);
  EXPECT_EQ(result.releases[2].past.stable, "b");
}

// As on a real cluster: a stream of a's ends, and is counted, after b has got all; seconds later c begins.
TEST(Backtest, WhoHasServedFirstIsStableHoweverSoonItIsReplaced) {
  Recorder recorder;
  recorder.add({75, {{"b", {50, 0.01}}}})
      .add({20, {{"b", {30, 0.01}}, {"a", {20, 0.01}}}})
      .add({1800, {{"a", {50, 0.01}}}});
  const auto result = test(recorder);
  ASSERT_EQ(result.releases.size(), 1U);
  EXPECT_EQ(result.releases[0].past.stable, "b");
  EXPECT_EQ(result.releases[0].past.canary, "a");
  EXPECT_EQ(result.releases[0].past.ending, PastEnding::Promoted);
}

TEST(Backtest, AStreamThatEndsLateIsNoSignOfLife) {
  Recorder recorder(2);
  recorder.add({1800, {{"a", {60, 0.01}}}})
      .add({60, {{"a", {30, 0.01}}, {"b", {30, 0.01}}}})
      .add({30, {{"b", {60, 0.01}}}})
      .add({2, {{"a", {0.5, 0}}, {"b", {60, 0.01}}}})
      .add({20, {{"b", {60, 0.01}}}})
      .add({20, {{"b", {45, 0.01}}, {"c", {15, 0.4}}}})
      .add({400, {{"b", {60, 0.01}}}})
      .add({2, {{"a", {0.5, 0}}, {"b", {60, 0.01}}}})
      .add({60, {{"b", {60, 0.01}}}});
  const auto result = test(recorder);
  ASSERT_EQ(result.releases.size(), 2U);
  EXPECT_EQ(result.releases[0].past.ending, PastEnding::Promoted);
  EXPECT_EQ(result.releases[0].past.until, at_second(2860));
  EXPECT_EQ(result.releases[1].past.stable, "b");
  EXPECT_EQ(result.releases[1].past.canary, "c");
  EXPECT_EQ(result.releases[1].past.from, at_second(2912));
  EXPECT_EQ(result.releases[1].past.ending, PastEnding::TakenBack);
  EXPECT_EQ(result.releases[1].ending, Ending::RolledBack) << result.releases[1].message;
}

// A version that has never served alone, with a stable that was replaced at once: nothing to compare it with.
TEST(Backtest, WithoutStableBesideItItHolds) {
  Recorder recorder;
  recorder.add({1800, {{"a", {50, 0.01}}}}).add({3600, {{"b", {50, 0.01}}}});
  const auto result = test(recorder);
  ASSERT_EQ(result.releases.size(), 1U);
  EXPECT_EQ(result.releases[0].ending, Ending::AwaitsPerson);
  EXPECT_PART(result.releases[0].message, "no requests of stable are counted");
}

TEST(Backtest, AnOutageOfBothIsNobodysFault) {
  Recorder recorder;
  recorder.add({1800, {{"a", {50, 0.01}}}})
      .add({120, {{"a", {40, 0.01}}, {"b", {10, 0.01}}}})
      .add({120, {{"a", {40, 0.4}}, {"b", {10, 0.4}}}})
      .add({1800, {{"a", {40, 0.01}}, {"b", {10, 0.01}}}});
  const auto result = test(recorder);
  EXPECT_NE(result.releases[0].ending, Ending::RolledBack) << result.releases[0].message;
}

TEST(Backtest, AGapIsNoBreach) {
  Recorder recorder;
  recorder.add({1800, {{"a", {50, 0.01}}}})
      .add({60, {{"a", {40, 0.01}}, {"b", {10, 0.01}}}})
      .gap(400)
      .add({1800, {{"a", {40, 0.01}}, {"b", {10, 0.01}}}});
  const auto result = test(recorder);
  ASSERT_EQ(result.releases.size(), 1U);
  EXPECT_EQ(result.releases[0].ending, Ending::Promoted) << result.releases[0].message;
}

TEST(Backtest, AResetIsNoBreach) {
  auto json = one_release(0.01).json();
  // Both of b's counters begin anew in the middle of the release.
  for (const auto* role : {"bad", "total"}) {
    for (auto& series : json["objectives"]["errors"][role]["data"]["result"]) {
      if (series["metric"]["revision"] != "b") continue;
      long long base = 0;
      for (auto& point : series["values"]) {
        const auto value = std::stoll(point[1].get<std::string>());
        if (point[0].get<double>() < 3000) base = value;
        if (point[0].get<double>() >= 3000) point[1] = std::to_string(value - base);
      }
    }
  }
  const auto recording = parse_recording(json.dump());
  ASSERT_TRUE(recording) << recording.error().message;
  const auto result = backtest(usual_policy(), *recording, std::nullopt);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->releases[0].ending, Ending::Promoted) << result->releases[0].message;
}

TEST(Backtest, PointsTooFarApartAreSaid) {
  const auto result = test(one_release(0.01, 120));
  EXPECT_NE(result.releases[0].ending, Ending::RolledBack);
  ASSERT_FALSE(result.warnings.empty());
  EXPECT_PART(result.warnings[0], "the recording's points are 2m apart");
}

TEST(Backtest, ObjectivesThatWereNotRecordedAreSaid) {
  auto policy = usual_policy();
  auto slow = errors(0.1, std::nullopt);
  slow.name = "slow";
  policy.objectives.push_back(slow);
  const auto result = test(one_release(0.01), policy);
  EXPECT_EQ(result.left_out, std::vector<std::string>{"slow"});
  EXPECT_EQ(result.releases[0].ending, Ending::Promoted);
}

TEST(Backtest, StableAgainstItselfIsRarelyTakenBack) {
  Recorder recorder;
  recorder.add({36'000, {{"a", {50, 0.01}}}});
  const auto result = test(recorder);
  EXPECT_TRUE(result.releases.empty());
  EXPECT_FALSE(result.itself.by_instance);
  EXPECT_EQ(result.itself.trials, 35'995 / 365);
  EXPECT_EQ(result.itself.awaiting, 0);
  EXPECT_TRUE(result.itself.taken_back.empty());
  EXPECT_NEAR(result.itself.share_at_most, 0.03, 0.005);
  EXPECT_DOUBLE_EQ(result.releases_a_year, 365);
}

TEST(Backtest, StableAgainstItselfByInstance) {
  // Pods differ; nothing else does.
  auto json = Recorder(5, 4).add({3600, {{"a", {50, 0.01}}}}).json();
  const auto recording = parse_recording(json.dump());
  ASSERT_TRUE(recording);
  const auto result = backtest(usual_policy(), *recording, 52.0);
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->itself.by_instance);
  EXPECT_EQ(result->itself.trials, 9);
  EXPECT_EQ(result->itself.awaiting, 0);
  EXPECT_TRUE(result->itself.taken_back.empty());
  EXPECT_DOUBLE_EQ(result->releases_a_year, 52);
}

// The first and every other pod play the canary.
TEST(Backtest, ABadPodIsTakenBackWhenItIsHeldAgainstTheOther) {
  auto json = Recorder(5, 2).add({3600, {{"a", {50, 0.01}}}}).json();
  for (auto& series : json["objectives"]["errors"]["bad"]["data"]["result"])
    if (series["metric"]["pod"] == "pod-0")
      for (auto& point : series["values"]) point[1] = std::to_string(20 * count_of(point));
  const auto result = backtest(usual_policy(), *parse_recording(json.dump()), std::nullopt);
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->itself.by_instance);
  EXPECT_EQ(result->itself.taken_back.size(), 9U);
  EXPECT_GT(result->itself.share_at_most, 0.99);
}

TEST(Backtest, ErrorsAtEveryOtherPointHitBothHalves) {
  Recorder recorder;
  for (int i = 0; i < 720; ++i) recorder.add({5, {{"a", {50, i % 2 == 0 ? 0.04 : 0.0}}}});
  const auto result = test(recorder);
  EXPECT_EQ(result.itself.trials, 9);
  EXPECT_EQ(result.itself.awaiting, 0);
  EXPECT_TRUE(result.itself.taken_back.empty()) << result.itself.taken_back[0].message;
}

TEST(Backtest, AShortRecordingSaysThatThereIsNoTrial) {
  Recorder recorder;
  const auto result = test(recorder.add({100, {{"a", {50, 0.01}}}}));
  EXPECT_EQ(result.itself.trials, 0);
  EXPECT_PART(result.warnings.back(), "no time in which one version served alone");
}

TEST(Backtest, RefusesAnOddNumberOfReleases) {
  const auto recording = parse_recording(one_release(0.01).text());
  ASSERT_TRUE(recording);
  for (const double odd : {0.0, -1.0, 1e9, double{NAN}})
    EXPECT_FALSE(backtest(usual_policy(), *recording, odd));
}

TEST(Backtest, AValueOfManySeriesIsNoBreach) {
  auto policy = usual_policy();
  Objective lag;
  lag.name = "lag";
  lag.source = "p";
  lag.value = ValueObjective{"max(lag{r=\"$(revision)\"})", 10, seconds(15), 3};
  policy.objectives.push_back(lag);
  auto json = one_release(0.01).json();
  Json values = Json::array();
  for (int at = 1000; at < 7000; at += 15) values.push_back(Json::array({at, "99"}));
  Json all = Json::array();
  for (const auto* pod : {"x", "y"})
    all.push_back({{"metric", {{"revision", "b"}, {"pod", pod}}}, {"values", values}});
  json["objectives"]["lag"] = {{"value", answer_of(all)}};
  const auto many = parse_recording(json.dump());
  ASSERT_TRUE(many) << many.error().message;
  const auto held = backtest(policy, *many, std::nullopt);
  ASSERT_TRUE(held);
  EXPECT_EQ(held->releases[0].ending, Ending::AwaitsPerson);
  EXPECT_PART(held->releases[0].message, "the query gives 2 series, must give one");
  all.erase(1);
  json["objectives"]["lag"] = {{"value", answer_of(all)}};
  const auto one = backtest(policy, *parse_recording(json.dump()), std::nullopt);
  ASSERT_TRUE(one);
  EXPECT_EQ(one->releases[0].ending, Ending::RolledBack);
  EXPECT_EQ(one->releases[0].objective, "lag");
}

// What becomes of a good release when its recording is odd: an error that says so, or the right verdict.
struct Odd {
  const char* what;
  std::function<void(Json&)> change;  // of one_release(0.01)
  const char* told;                   // "Promoted", "AwaitsPerson" or a part of the error
};

// Calls with every point of b's series of a role.
void each_point(Json& json, const std::string& role, const std::function<void(Json&)>& change) {
  for (auto& series : json["objectives"]["errors"][role]["data"]["result"])
    if (series["metric"]["revision"] == "b")
      for (auto& point : series["values"]) change(point);
}

// Keeps the points of every series for which `wanted` holds.
void thin(Json& json, const std::function<bool(const Json&)>& wanted) {
  for (const auto* role : {"bad", "total"}) {
    for (auto& series : json["objectives"]["errors"][role]["data"]["result"]) {
      Json kept = Json::array();
      for (const auto& point : series["values"])
        if (wanted(point)) kept.push_back(point);
      series["values"] = kept;
    }
  }
}

bool is_at(const Json& point, double from, double to) {
  return point[0].get<double>() >= from && point[0].get<double>() < to;
}

const std::vector<Odd> kOddities{
    {"as it is", [](Json&) {}, "Promoted"},
    {"a gap of two minutes",
     [](Json& json) { thin(json, [](const Json& point) { return !is_at(point, 2900, 3020); }); },
     "Promoted"},
    {"every third point is missing",
     [](Json& json) {
       thin(json, [](const Json& point) { return point[0].get<int>() / 5 % 3 != 0; });
     },
     "Promoted"},
    {"a point every ten minutes",
     [](Json& json) {
       thin(json, [](const Json& point) { return point[0].get<int>() % 600 == 0; });
     },
     "AwaitsPerson"},
    {"NaN and infinities in between",
     [](Json& json) {
       each_point(json, "total", [](Json& point) {
         if (is_at(point, 2900, 2910)) point[1] = "NaN";
         if (is_at(point, 2920, 2930)) point[1] = "+Inf";
       });
     },
     "Promoted"},
    {"a reset of the bad ones only",
     [](Json& json) {
       each_point(json, "bad", [](Json& point) {
         if (is_at(point, 2950, 1e9)) point[1] = std::to_string(count_of(point) - 1);
       });
     },
     "Promoted"},
    {"counts in tenths",
     [](Json& json) {
       each_point(json, "total",
                  [](Json& point) { point[1] = std::to_string(count_of(point)) + ".5"; });
     },
     "Promoted"},
    {"negative counts",
     [](Json& json) { each_point(json, "bad", [](Json& point) { point[1] = "-1"; }); },
     "a counter is never negative"},
    {"more bad ones than all",
     [](Json& json) {
       each_point(json, "bad", [](Json& point) {
         point[1] = std::to_string(100 + 100 * (point[0].get<int>() - 2800));
       });
     },
     "are the queries swapped?"},
    {"time in milliseconds",
     [](Json& json) {
       each_point(json, "bad", [](Json& point) { point[0] = 1.7e12 + point[0].get<double>(); });
     },
     "must be seconds since 1970"},
    {"a clock that goes back",
     [](Json& json) {
       each_point(json, "total", [](Json& point) {
         if (is_at(point, 2950, 2955)) point[0] = 2900;
       });
     },
     "time goes back"},
    {"the same series twice",
     [](Json& json) {
       auto& all = json["objectives"]["errors"]["total"]["data"]["result"];
       auto again = all[0];
       for (auto& point : again["values"]) point[1] = std::to_string(count_of(point) + 1);
       all.push_back(again);
     },
     "time goes back"},
    {"a rate",
     [](Json& json) {
       each_point(json, "total",
                  [](Json& point) { point[1] = point[0].get<int>() % 10 == 0 ? "9.5" : "10.5"; });
     },
     "so it is no cumulative counter"},
    {"no bad request of the canary's is recorded",
     [](Json& json) {
       auto& all = json["objectives"]["errors"]["bad"]["data"]["result"];
       all.erase(1);
     },
     "Promoted"},
    {"no request of the canary's is recorded, but bad ones",
     [](Json& json) {
       auto& all = json["objectives"]["errors"]["total"]["data"]["result"];
       all.erase(1);
       each_point(json, "bad", [](Json& point) {
         point[1] = std::to_string(10 * (point[0].get<int>() - 2800));
       });
     },
     "are the queries swapped?"},
};

std::string told_of(const Odd& odd) {
  auto json = one_release(0.01).json();
  odd.change(json);
  const auto recording = parse_recording(json.dump());
  if (!recording) return recording.error().message;
  const auto result = backtest(usual_policy(), *recording, std::nullopt);
  if (!result) return result.error().message;
  if (result->releases.size() != 1) return std::to_string(result->releases.size()) + " releases";
  switch (result->releases[0].ending) {
    case Ending::Promoted: return "Promoted";
    case Ending::RolledBack: return "RolledBack";
    case Ending::AwaitsPerson: return "AwaitsPerson";
    case Ending::UnderWay: break;
  }
  return "UnderWay";
}

TEST(Backtest, OddRecordingsAreRefusedOrJudgedRightly) {
  for (const auto& odd : kOddities) EXPECT_PART(told_of(odd), odd.told) << ": " << odd.what;
}

// The same with a bad canary: what is odd must not hide it.
TEST(Backtest, OddRecordingsHideNoBadCanary) {
  for (const auto& odd : kOddities) {
    if (std::string(odd.told) != "Promoted" || std::string(odd.what).starts_with("no bad"))
      continue;
    auto json = one_release(0.3).json();
    odd.change(json);
    const auto recording = parse_recording(json.dump());
    ASSERT_TRUE(recording) << odd.what;
    const auto result = backtest(usual_policy(), *recording, std::nullopt);
    ASSERT_TRUE(result && result->releases.size() == 1) << odd.what;
    EXPECT_EQ(result->releases[0].ending, Ending::RolledBack) << odd.what;
  }
}

// Solved for by the binomial sum with whole numbers.
TEST(LargestShare, IsThatOfClopperAndPearson) {
  EXPECT_NEAR(largest_share(0, 10), 0.258866, 1e-5);
  EXPECT_NEAR(largest_share(2, 34), 0.173811, 1e-5);
  EXPECT_NEAR(largest_share(5, 500), 0.020910, 1e-5);
  EXPECT_DOUBLE_EQ(largest_share(3, 3), 1);
  EXPECT_DOUBLE_EQ(largest_share(0, 0), 1);
}

}  // namespace
}  // namespace weir::replay_test
