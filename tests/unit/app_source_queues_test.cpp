#include <gtest/gtest.h>

#include "app/source_queues.h"

namespace weir {
namespace {

using Added = SourceQueues::Added;

const SourceKey kSource{"prometheus", "http://prometheus:9090", {}, milliseconds(5000)};
const SourceKey kOther{"prometheus", "http://other:9090", {}, milliseconds(5000)};
constexpr milliseconds kQuick{10};
constexpr milliseconds kSlow{4000};

WaitingQuestion of(const std::string& name) {
  return {{"shop", name}, std::make_shared<const ReleaseQuestion>()};
}

std::string names(const std::vector<WaitingQuestion>& waiting) {
  std::string text;
  for (const auto& each : waiting) text += (text.empty() ? "" : " ") + each.release.name;
  return text;
}

std::size_t taken(SourceQueues& queues) {
  for (std::size_t i = 0; i < kMostTogether; ++i) (void)queues.add(kSource, of("web"));
  const auto count = queues.next(kSource).size();
  (void)queues.drop(kSource);
  return count;
}

TEST(SourceQueues, WhatComesWhileASourceIsAskedIsAskedTogether) {
  SourceQueues queues;
  EXPECT_EQ(queues.add(kSource, of("a")), Added::MustAsk);
  EXPECT_EQ(names(queues.next(kSource)), "a");
  EXPECT_EQ(queues.add(kSource, of("b")), Added::Waits);
  EXPECT_EQ(queues.add(kOther, of("x")), Added::MustAsk);
  EXPECT_EQ(queues.add(kSource, of("c")), Added::Waits);
  EXPECT_EQ(names(queues.next(kSource)), "b c");
  EXPECT_EQ(names(queues.next(kSource)), "");
  EXPECT_EQ(queues.add(kSource, of("d")), Added::MustAsk);
  EXPECT_EQ(names(queues.next(kOther)), "x");
}

TEST(SourceQueues, TheOldestComeFirstAndNotMoreThanTheLimit) {
  SourceQueues queues;
  for (std::size_t i = 0; i < kMostTogether + 3; ++i)
    (void)queues.add(kSource, of(std::to_string(i)));
  const auto first = queues.next(kSource);
  ASSERT_EQ(first.size(), kMostTogether);
  EXPECT_EQ(first.front().release.name, "0");
  EXPECT_EQ(names(queues.next(kSource)), "16 17 18");
}

TEST(SourceQueues, ASourceThatFailsIsAskedForLessAndOneThatIsQuickForMoreAgain) {
  SourceQueues queues;
  EXPECT_EQ(taken(queues), 16U);
  queues.told(kSource, false, kSlow);
  EXPECT_EQ(taken(queues), 8U);
  queues.told(kSource, true, kSlow);
  EXPECT_EQ(taken(queues), 8U);
  queues.told(kSource, true, kQuick);
  EXPECT_EQ(taken(queues), 9U);
  for (int i = 0; i < 10; ++i) queues.told(kSource, false, kSlow);
  EXPECT_EQ(taken(queues), 1U);
  for (int i = 0; i < 100; ++i) queues.told(kSource, true, kQuick);
  EXPECT_EQ(taken(queues), kMostTogether);
}

TEST(SourceQueues, AnAskerWhoGivesUpLeavesNobodyWaiting) {
  SourceQueues queues;
  (void)queues.add(kSource, of("a"));
  (void)queues.add(kSource, of("b"));
  EXPECT_EQ(names(queues.drop(kSource)), "a b");
  EXPECT_EQ(queues.add(kSource, of("c")), Added::MustAsk);
}

TEST(SourceQueues, TooManyAreRefused) {
  SourceQueues queues;
  for (std::size_t i = 0; i < kSourceWaitMax; ++i) (void)queues.add(kSource, of("web"));
  EXPECT_EQ(queues.add(kSource, of("one-more")), Added::Refused);
}

TEST(SourceQueues, WhoNamesAThousandSourcesLeavesNoMemoryOfThem) {
  SourceQueues queues;
  queues.told(kSource, false, kSlow);
  for (int i = 0; i < 1000; ++i) {
    const SourceKey source{"prometheus", "http://" + std::to_string(i), {}, milliseconds(1)};
    (void)queues.add(source, of("web"));
    (void)queues.next(source);
    EXPECT_TRUE(queues.next(source).empty());
  }
  EXPECT_EQ(taken(queues), kMostTogether);
}

}  // namespace
}  // namespace weir
