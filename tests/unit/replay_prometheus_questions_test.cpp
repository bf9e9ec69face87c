#include <gtest/gtest.h>

#include "base/hash.h"
#include "delivery/revision.h"
#include "replay/prometheus_questions.h"
#include "unit/replay_test_support.h"

namespace weir::replay_test {
namespace {

const ObjectKey kShop{"production", "shop"};
constexpr const char* kAny = "[bcdfghjklmnpqrstvwxz2456789]{10}";

CanaryPolicySpec counting(const std::string& total) {
  auto policy = usual_policy();
  policy.objectives[0].ratio->queries.total = total;
  return policy;
}

std::string selector(const std::string& total) {
  const auto searches = revision_searches(counting(total), kShop);
  return searches ? searches->at(0).selector : searches.error().message;
}

TEST(PrometheusQuestions, SearchForEveryRevisionOfTheRelease) {
  const std::string any = kAny;
  EXPECT_EQ(selector(R"x(all{s="$(service)"})x"), "all{s=~\"shop-" + any + "\"}");
  EXPECT_EQ(selector(R"x(all{s="$(namespace).$(service)",code="5.."})x"),
            "all{s=~\"production[.]shop-" + any + "\",code=\"5..\"}");
  EXPECT_EQ(selector(R"x(sum by (s) (a{b="{}"}) + all{s=~'$(service)-.+', r = "$(revision)",})x"),
            "all{s=~'shop-" + any + "-.+',r=~\"" + any + "\"}");
  EXPECT_EQ(selector("# {r=\"$(revision)\"}\nall{r=`$(revision)`}"), "all{r=~`" + any + "`}");
  EXPECT_EQ(selector(R"x({__name__="all",r="$(revision)"})x"),
            "{__name__=\"all\",r=~\"" + any + "\"}");
}

TEST(PrometheusQuestions, AreRefusedWhereTheRevisionHasNoPlainPlace) {
  for (const auto* odd :
       {R"x(all)x", R"x(all{a="b"})x", R"x(all{r!="$(revision)"})x", R"x(all{r=~".*$(revision)"})x",
        R"x(all{r="\\$(revision)"})x", R"x(all{r="$(revision))x", R"x(all{r=$(revision)})x",
        R"x(all{r="$(revision)" s="x"})x", R"x(all{r="$(revision)",,s="x"})x", "$(revision)", "{",
        ""})
    EXPECT_NE(selector(odd).find("name them with --revisions"), std::string::npos) << odd;
}

TEST(PrometheusQuestions, FindTheNamesInTheAnswer) {
  const auto searches = revision_searches(counting(R"x(all{s=~"$(service)-.+"})x"), kShop);
  ASSERT_TRUE(searches);
  const auto one = short_hash("one", kRevisionLength);
  const auto two = short_hash("two", kRevisionLength);
  Json data = Json::array();
  for (const auto& value : {"shop-" + two + "-80", "shop-" + one + "-80", "shop-" + one + "-81",
                            std::string("shop-database-0-80"), std::string("shop-"), "x" + one})
    data.push_back({{"__name__", "all"}, {"s", value}});
  data.push_back({{"__name__", "all"}});
  data.push_back(7);
  const Json answer{{"status", "success"}, {"data", data}};
  auto expected = std::vector<std::string>{one, two};
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(revisions_in(answer, searches->at(0)).value(), expected);
  for (const Json& odd : {Json(), Json(7), Json{{"status", "success"}}, Json{{"data", data}}})
    EXPECT_FALSE(revisions_in(odd, searches->at(0))) << odd;
}

TEST(PrometheusQuestions, AskWhatTheOperatorAsksOfEachRevision) {
  auto policy = usual_policy();
  Objective lag;
  lag.name = "lag";
  lag.value = ValueObjective{"max(lag)", 10, seconds(15), 3};
  policy.objectives.push_back(lag);
  const auto questions = past_questions(policy, kShop, {"a", "b"});
  ASSERT_EQ(questions.size(), 3U);
  EXPECT_EQ(questions[0].objective, "errors");
  EXPECT_EQ(questions[0].role, "bad");
  EXPECT_EQ(questions[0].query,
            "label_replace((bad{s=\"shop-a\"}\n), \"weir_revision\", \"a\", \"\", \"\") or "
            "label_replace((bad{s=\"shop-b\"}\n), \"weir_revision\", \"b\", \"\", \"\")");
  EXPECT_EQ(questions[1].role, "total");
  EXPECT_EQ(questions[2].role, "value");
  EXPECT_EQ(questions[2].query, "max(lag)");
  std::vector<std::string> many(kRevisionsAQuery + 1, "a");
  EXPECT_EQ(past_questions(usual_policy(), kShop, many).size(), 4U);
}

TEST(PrometheusQuestions, AreCutIntoPartsThatPrometheusAnswers) {
  const HistorySpan span{at_second(0), at_second(15.0 * 2 * kPointsAQuery)};
  const auto parts = parts_of(span, seconds(15));
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(parts[0].from, span.from);
  EXPECT_EQ((parts[0].to - parts[0].from) / seconds(15) + 1, kPointsAQuery);
  EXPECT_EQ(parts[1].from, parts[0].to + seconds(15));
  EXPECT_EQ(parts[2].from, span.to);
  EXPECT_EQ(parts[2].to, span.to);
}

}  // namespace
}  // namespace weir::replay_test
