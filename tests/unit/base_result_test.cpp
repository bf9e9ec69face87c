#include <gtest/gtest.h>

#include <memory>

#include "base/deadline.h"
#include "base/random.h"
#include "base/result.h"

namespace weir {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return Error{ErrorKind::Invalid, "odd"};
  return number / 2;
}

Result<int> quarter(int number) {
  ASSIGN_OR_RETURN(const int once, half(number));
  ASSIGN_OR_RETURN(const int twice, half(once));
  return twice;
}

Result<void> check(int number) {
  ASSIGN_OR_RETURN([[maybe_unused]] const int ignored, half(number));
  return {};
}

TEST(Result, HoldsAValueOrAnError) {
  EXPECT_TRUE(half(4));
  EXPECT_EQ(*half(4), 2);
  EXPECT_FALSE(half(3));
  EXPECT_EQ(half(3).error().message, "odd");
}

TEST(Result, AssignOrReturnPassesTheErrorOn) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).error().kind, ErrorKind::Invalid);
  EXPECT_TRUE(check(2));
  EXPECT_EQ(check(3).error().message, "odd");
}

TEST(Result, GivesUpAValueThatCanOnlyBeMoved) {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(7));
  EXPECT_EQ(**result, 7);
  const std::unique_ptr<int> taken = *std::move(result);
  EXPECT_EQ(*taken, 7);
}

TEST(Result, OfNothingIsGoodUnlessGivenAnError) {
  EXPECT_TRUE(Result<void>());
  const Result<void> bad(Error{ErrorKind::Timeout, "late"});
  EXPECT_FALSE(bad);
  EXPECT_EQ(to_string(bad.error()), "Timeout: late");
}

TEST(ErrorKind, HasANameForEach) {
  EXPECT_EQ(to_string(ErrorKind::NotFound), "NotFound");
  EXPECT_EQ(to_string(ErrorKind::AlreadyExists), "AlreadyExists");
  EXPECT_EQ(to_string(ErrorKind::Gone), "Gone");
  EXPECT_EQ(to_string(ErrorKind::Internal), "Internal");
}

TEST(Deadline, HasNoTimeLeftOncePassed) {
  const SystemClock clock;
  EXPECT_EQ(Deadline::after(clock, milliseconds(-100)).left(clock), milliseconds(0));
  const auto left = Deadline::after(clock, seconds(100)).left(clock);
  EXPECT_GT(left, seconds(50));
  EXPECT_LE(left, seconds(100));
}

TEST(SeededRandom, RepeatsWithTheSameSeedAndStaysInRange) {
  SeededRandom one(42);
  SeededRandom two(42);
  for (int i = 0; i < 1000; ++i) {
    const double drawn = one.uniform();
    EXPECT_EQ(drawn, two.uniform());
    EXPECT_GE(drawn, 0.0);
    EXPECT_LT(drawn, 1.0);
  }
}

}  // namespace
}  // namespace weir
