#include <gtest/gtest.h>

#include "runtime/work_queue.h"

namespace weir {
namespace {

const ObjectKey kA{"ns", "a"};
const ObjectKey kB{"ns", "b"};
constexpr milliseconds kLong{600'000};

SteadyTime at(int second) { return SteadyTime(seconds(second)); }

TEST(WorkQueue, GivesNothingWhenEmpty) {
  WorkQueue queue;
  EXPECT_EQ(queue.take(at(100)), std::nullopt);
  EXPECT_EQ(queue.next_due(), std::nullopt);
  EXPECT_EQ(queue.waiting(), 0U);
}

TEST(WorkQueue, AKeyIsNotGivenBeforeItsTime) {
  WorkQueue queue;
  queue.add(kA, at(10));
  EXPECT_EQ(queue.take(at(9)), std::nullopt);
  EXPECT_EQ(queue.next_due(), at(10));
  EXPECT_EQ(queue.take(at(10)), kA);
}

TEST(WorkQueue, GivesTheKeyThatIsDueFirst) {
  WorkQueue queue;
  queue.add(kA, at(10));
  queue.add(kB, at(5));
  EXPECT_EQ(queue.take(at(20)), kB);
  EXPECT_EQ(queue.take(at(20)), kA);
}

TEST(WorkQueue, AnEarlierTimeWins) {
  WorkQueue queue;
  queue.add(kA, at(10));
  queue.add(kA, at(5));
  EXPECT_EQ(queue.next_due(), at(5));
  EXPECT_EQ(queue.take(at(5)), kA);
}

TEST(WorkQueue, ALaterTimeDoesNotPostpone) {
  WorkQueue queue;
  queue.add(kA, at(5));
  queue.add(kA, at(10));
  EXPECT_EQ(queue.next_due(), at(5));
}

TEST(WorkQueue, AKeyThatIsAddedTwiceWaitsOnce) {
  WorkQueue queue;
  queue.add(kA, at(5));
  queue.add(kA, at(5));
  queue.add(kA, at(3));
  EXPECT_EQ(queue.waiting(), 1U);
  EXPECT_EQ(queue.take(at(9)), kA);
  queue.done(kA);
  EXPECT_EQ(queue.take(at(9)), std::nullopt);
}

TEST(WorkQueue, AKeyInWorkIsNotGivenASecondTime) {
  WorkQueue queue;
  queue.add(kA, at(1));
  queue.take(at(1));
  queue.add(kA, at(1));
  EXPECT_EQ(queue.take(at(9)), std::nullopt);
  EXPECT_EQ(queue.next_due(), std::nullopt);
}

TEST(WorkQueue, AKeyThatWasAddedWhileInWorkIsGivenAgainAfterIt) {
  WorkQueue queue;
  queue.add(kA, at(1));
  queue.take(at(1));
  queue.add(kA, at(7));
  queue.add(kA, at(3));
  queue.add(kA, at(5));
  queue.done(kA);
  EXPECT_EQ(queue.next_due(), at(3));
  EXPECT_EQ(queue.take(at(3)), kA);
  queue.done(kA);
  EXPECT_EQ(queue.take(at(9)), std::nullopt);
}

TEST(WorkQueue, OtherKeysAreGivenWhileOneIsInWork) {
  WorkQueue queue;
  queue.add(kA, at(1));
  queue.take(at(1));
  queue.add(kB, at(1));
  EXPECT_EQ(queue.take(at(1)), kB);
}

TEST(WorkQueue, AHeldKeyIsNotGivenSoonerWhateverIsAdded) {
  WorkQueue queue;
  queue.add(kA, at(1));
  queue.take(at(1));
  queue.add(kA, at(1));
  queue.hold(kA, at(30));
  queue.done(kA);
  EXPECT_EQ(queue.next_due(), at(30));
  queue.add(kA, at(2));
  EXPECT_EQ(queue.take(at(29)), std::nullopt);
  EXPECT_EQ(queue.take(at(30)), kA);
}

TEST(WorkQueue, AHoldEndsWhenItsKeyIsTaken) {
  WorkQueue queue;
  queue.add(kA, at(1));
  queue.take(at(1));
  queue.hold(kA, at(30));
  queue.done(kA);
  queue.add(kA, at(40));
  queue.take(at(40));
  queue.done(kA);
  queue.add(kA, at(20));
  EXPECT_EQ(queue.next_due(), at(20));
}

TEST(WorkQueue, TheBackOffDoublesFrom50Milliseconds) {
  WorkQueue queue;
  for (const int expected : {50, 100, 200, 400, 800})
    EXPECT_EQ(queue.next_back_off(kA, kLong), milliseconds(expected));
}

TEST(WorkQueue, TheBackOffIsCapped) {
  WorkQueue queue;
  milliseconds last{0};
  for (int i = 0; i < 100; ++i) last = queue.next_back_off(kA, milliseconds(2000));
  EXPECT_EQ(last, milliseconds(2000));
  EXPECT_EQ(queue.next_back_off(kA, kLong), kLong);
}

TEST(WorkQueue, EachKeyBacksOffOnItsOwn) {
  WorkQueue queue;
  queue.next_back_off(kA, kLong);
  EXPECT_EQ(queue.next_back_off(kB, kLong), milliseconds(50));
}

TEST(WorkQueue, ForgottenFailuresStartOver) {
  WorkQueue queue;
  queue.next_back_off(kA, kLong);
  queue.next_back_off(kA, kLong);
  queue.forget_failures(kA);
  EXPECT_EQ(queue.next_back_off(kA, kLong), milliseconds(50));
}

}  // namespace
}  // namespace weir
