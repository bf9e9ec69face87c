#include <gtest/gtest.h>

#include "kube/token_bucket.h"
#include "unit/kube_test_support.h"

namespace weir {
namespace {

constexpr milliseconds kAnyWait{1'000'000};

TEST(TokenBucket, LetsABurstThroughAtOnce) {
  const kube_test::FakeClock clock;
  TokenBucket bucket(10, 3);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(bucket.take(clock.monotonic(), kAnyWait), milliseconds(0));
}

TEST(TokenBucket, SpacesWhatComesAfterTheBurst) {
  const kube_test::FakeClock clock;
  TokenBucket bucket(10, 1);
  EXPECT_EQ(bucket.take(clock.monotonic(), kAnyWait), milliseconds(0));
  EXPECT_EQ(bucket.take(clock.monotonic(), kAnyWait), milliseconds(100));
  EXPECT_EQ(bucket.take(clock.monotonic(), kAnyWait), milliseconds(200));
}

TEST(TokenBucket, RefillsWithTimeUpToTheBurst) {
  kube_test::FakeClock clock;
  TokenBucket bucket(10, 2);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bucket.take(clock.monotonic(), kAnyWait));
  clock.advance(seconds(3600));
  EXPECT_EQ(bucket.take(clock.monotonic(), kAnyWait), milliseconds(0));
  EXPECT_EQ(bucket.take(clock.monotonic(), kAnyWait), milliseconds(0));
  EXPECT_EQ(bucket.take(clock.monotonic(), kAnyWait), milliseconds(100));
}

TEST(TokenBucket, TakesNothingWhenTheWaitWouldBeTooLong) {
  const kube_test::FakeClock clock;
  TokenBucket bucket(10, 1);
  EXPECT_TRUE(bucket.take(clock.monotonic(), kAnyWait));
  EXPECT_EQ(bucket.take(clock.monotonic(), milliseconds(99)), std::nullopt);
  EXPECT_EQ(bucket.take(clock.monotonic(), milliseconds(100)), milliseconds(100));
}

TEST(TokenBucket, CountsPartsOfAToken) {
  kube_test::FakeClock clock;
  TokenBucket bucket(10, 1);
  EXPECT_TRUE(bucket.take(clock.monotonic(), kAnyWait));
  clock.advance(milliseconds(60));
  EXPECT_EQ(bucket.take(clock.monotonic(), kAnyWait), milliseconds(40));
}

}  // namespace
}  // namespace weir
