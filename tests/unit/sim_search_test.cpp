// The simulator's search, and the copies of the process it is done by.
#include <gtest/gtest.h>

#include <csignal>

#include "base/log.h"
#include "sim/branches.h"
#include "sim/search.h"

namespace weir::sim {
namespace {

using Ends = std::map<std::size_t, BranchEnd>;

// `work` is done in a copy and gives its word.
Ends branch_off(int most, std::size_t count, const std::function<std::string(std::size_t)>& work) {
  Ends ends;
  Branches branches(most, [&ends](const BranchEnd& end) { ends[end.index] = end; });
  for (std::size_t i = 0; i < count; ++i)
    if (branches.branch(i)) branches.leave(work(i));
  branches.join();
  return ends;
}

TEST(Branches, EachGivesItsWordToTheOriginal) {
  const auto ends = branch_off(2, 5, [](std::size_t i) { return "word " + std::to_string(i); });
  ASSERT_EQ(ends.size(), 5U);
  for (const auto& [index, end] : ends) {
    EXPECT_EQ(end.said, "word " + std::to_string(index));
    EXPECT_EQ(end.trouble, "");
  }
}

TEST(Branches, AWordMayBeLongerThanAPipeHolds) {
  const auto ends = branch_off(2, 2, [](std::size_t) { return std::string(300000, 'x'); });
  EXPECT_EQ(ends.at(0).said.size(), 300000U);
  EXPECT_EQ(ends.at(1).said.size(), 300000U);
}

TEST(Branches, OneThatDiesIsToldAndTheOthersGoOn) {
  const auto ends = branch_off(2, 3, [](std::size_t i) {
    if (i == 1) std::raise(SIGKILL);
    return std::string("alive");
  });
  EXPECT_EQ(ends.at(0).said, "alive");
  EXPECT_EQ(ends.at(1).trouble, "killed by signal 9");
  EXPECT_EQ(ends.at(2).said, "alive");
}

class ExhaustiveSearch : public ::testing::Test {
 protected:
  ExhaustiveSearch() {
    set_log_sink([](LogLevel, std::string_view) {});
  }
  ~ExhaustiveSearch() override { set_log_sink({}); }
};

// Some fault of a scenario that hides a planted bug is found, and told so that a run from the beginning shows it again.
TEST_F(ExhaustiveSearch, WhatABranchFindsARunFromTheBeginningShowsAgain) {
  const Bug bug = bug_named("retried-unknown-write");
  const auto hiding = std::find_if(all_bugs().begin(), all_bugs().end(),
                                   [&](const Hiding& one) { return one.bug == bug; });
  ASSERT_NE(hiding, all_bugs().end());
  const auto& scenario = *find_scenario(hiding->scenario);
  const auto report = exhaust(scenario, 2, bug, 1);
  ASSERT_FALSE(report.findings.empty());
  const auto& finding = report.findings.front();
  const std::string flag = "--answer-lost ";
  const auto at = finding.replay.find(flag);
  ASSERT_NE(at, std::string::npos) << finding.replay;
  PlannedFault planned;
  planned.what = PlannedFault::AtWrite::AnswerLost;
  planned.at_write = std::stoi(finding.replay.substr(at + flag.size()));
  const auto again = run_scenario(scenario, planned, false, bug);
  ASSERT_FALSE(again.violations.empty());
  EXPECT_EQ(again.violations.front().rule, finding.result.violations.front().rule);
  EXPECT_EQ(again.violations.front().what, finding.result.violations.front().what);
}

}  // namespace
}  // namespace weir::sim
