#include <gtest/gtest.h>

#include "delivery/joint_question.h"

namespace weir {
namespace {

std::shared_ptr<const ReleaseQuestion> asking(const std::string& release) {
  auto question = std::make_shared<ReleaseQuestion>();
  question->expressions = {{"bad", "e{r=\"" + release + "\"}"}, {"stable bad", "e"}};
  return question;
}

TEST(JointQuestion, RolesTellWhoseTheyAre) {
  const auto expressions = joined({asking("a"), asking("b")});
  ASSERT_EQ(expressions.size(), 4U);
  EXPECT_EQ(expressions[0].role, "0 bad");
  EXPECT_EQ(expressions[0].text, "e{r=\"a\"}");
  EXPECT_EQ(expressions[3].role, "1 stable bad");
}

TEST(JointQuestion, EachGetsWhatItWouldHaveBeenToldAlone) {
  const auto parts =
      parted({{"1 stable bad", "{}", 5, {}}, {"0 bad", "x", 7, {}}, {"1 bad", "y", 8, {}}},
             {asking("a"), asking("b"), asking("c")});
  ASSERT_EQ(parts.size(), 3U);
  ASSERT_EQ(parts[0]->size(), 1U);
  EXPECT_EQ(parts[0]->at(0).role, "bad");
  EXPECT_EQ(parts[0]->at(0).value, 7);
  ASSERT_EQ(parts[1]->size(), 2U);
  EXPECT_EQ(parts[1]->at(0).role, "stable bad");
  EXPECT_TRUE(parts[2]->empty());
}

TEST(JointQuestion, WhatNobodyAskedForIsNobodys) {
  for (const auto& role : {"7 bad", "bad", "", "0", " bad", "-1 bad", "99999999999999999999 bad"}) {
    const auto parts = parted({{role, "{}", 1, {}}}, {asking("a")});
    EXPECT_TRUE(parts[0]->empty()) << role;
  }
}

TEST(JointQuestion, TooManySeriesAreTheFaultOfOne) {
  std::vector<MetricSample> answer{{"0 bad", "{}", 1, {}}};
  for (std::size_t i = 0; i <= kMaxSeries; ++i)
    answer.push_back({"1 bad", std::to_string(i), 1, {}});
  const auto parts = parted(std::move(answer), {asking("a"), asking("b")});
  EXPECT_TRUE(parts[0]);
  ASSERT_FALSE(parts[1]);
  EXPECT_EQ(parts[1].error().kind, ErrorKind::Invalid);
  EXPECT_NE(parts[1].error().message.find("more than 1000 series"), std::string::npos);
}

}  // namespace
}  // namespace weir
