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

// The fault that a finding's arguments plan.
PlannedFault planned_by(const std::string& replay) {
  PlannedFault planned;
  for (std::size_t i = 0; i < kAtWriteFlags.size(); ++i) {
    const auto flag = " --" + std::string(kAtWriteFlags[i]) + " ";
    const auto at = replay.find(flag);
    if (at == std::string::npos) continue;
    planned.what = static_cast<PlannedFault::AtWrite>(i);
    planned.at_write = std::stoi(replay.substr(at + flag.size()));
  }
  return planned;
}

// A planted bug breaks its scenario at each place; what a branch tells of it is what `weir sim` shows with the arguments given.
TEST_F(ExhaustiveSearch, WhatABranchFindsARunFromTheBeginningShowsAgain) {
  const auto& scenario = *find_scenario("short-holds");
  const auto report = exhaust(scenario, 2, Bug::EvidenceOfBefore, 4);
  ASSERT_GE(report.findings.size(), 4U);
  EXPECT_EQ(report.findings.front().replay, "--scenario short-holds");
  int faults = 0;
  for (const auto& finding : report.findings) {
    const auto planned = planned_by(finding.replay);
    if (planned.at_write != 0) ++faults;
    const auto again = run_scenario(scenario, planned, false, Bug::EvidenceOfBefore);
    ASSERT_FALSE(again.violations.empty()) << finding.replay;
    EXPECT_EQ(again.violations.front().rule, finding.result.violations.front().rule);
    EXPECT_EQ(again.violations.front().what, finding.result.violations.front().what);
  }
  EXPECT_GE(faults, 3);
}

}  // namespace
}  // namespace weir::sim
