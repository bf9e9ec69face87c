#include <gtest/gtest.h>

#include "base/anchored_clock.h"

namespace weir {
namespace {

class MachineClock final : public Clock {
 public:
  WallTime now() const override { return WallTime(seconds(1'800'000'000)) + elapsed_ + stepped_; }
  SteadyTime monotonic() const override { return SteadyTime(std::chrono::hours(1)) + elapsed_; }
  void advance(milliseconds span) { elapsed_ += span; }
  void step(milliseconds span) { stepped_ += span; }

 private:
  milliseconds elapsed_{0};
  milliseconds stepped_{0};
};

TEST(AnchoredClock, AgreesWithAMachineWhoseClockIsNotSet) {
  MachineClock machine;
  const AnchoredClock clock(machine);
  EXPECT_EQ(clock.now(), machine.now());
  machine.advance(std::chrono::hours(1000));
  EXPECT_EQ(clock.now(), machine.now());
  EXPECT_EQ(clock.monotonic(), machine.monotonic());
  EXPECT_EQ(clock.machine_ahead(), seconds(0));
}

TEST(AnchoredClock, IsNotMovedByStepsAndTellsThem) {
  MachineClock machine;
  const AnchoredClock clock(machine);
  const auto begin = clock.now();
  for (const auto step : {seconds(3600), seconds(-90'000), seconds(5)}) {
    machine.step(step);
    machine.advance(seconds(10));
  }
  EXPECT_EQ(clock.now() - begin, seconds(30));
  EXPECT_EQ(clock.machine_ahead(), seconds(3600 - 90'000 + 5));
}

TEST(AnchoredClock, TakesTheMachinesTimeOverWhenAnchoredAgain) {
  MachineClock machine;
  AnchoredClock clock(machine);
  machine.step(std::chrono::hours(-2));
  clock.anchor();
  EXPECT_EQ(clock.now(), machine.now());
  EXPECT_EQ(clock.machine_ahead(), seconds(0));
}

TEST(AnchoredClock, ReadsTheRealClockToTheMicrosecond) {
  const SystemClock machine;
  const AnchoredClock clock(machine);
  const auto ahead = clock.machine_ahead();
  EXPECT_LT(std::chrono::abs(ahead), seconds(1));
}

}  // namespace
}  // namespace weir
