#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <latch>

#include "base/ensure.h"
#include "runtime/controller.h"
#include "runtime_fakes.h"

namespace weir {
namespace {

using runtime_test::eventually;

const ObjectKey kShop{"ns", "shop"};
const ObjectKey kBar{"ns", "bar"};

// Thinks what the test says. Several threads may ask it.
class FakeReconciler final : public Reconciler {
 public:
  using Think = std::function<Plan(const ObjectKey&, WallTime, const Error*)>;

  std::string_view name() const override { return "fake"; }
  Plan plan(const ObjectKey& key, WallTime now, const Error* refused) const override {
    return think ? think(key, now, refused) : Plan{};
  }

  Think think{};
};

Plan one_write() {
  Plan plan;
  plan.actions.emplace_back(PatchObject{kinds::kHttpRoute, kShop, Json::object(), "uid", ""});
  return plan;
}

struct World {
  explicit World(const Clock& clock) : executor(make_executor(clock)) {}

  Executor make_executor(const Clock& clock) {
    return {api,
            clock,
            fence,
            metrics,
            [](const Kind&, const Json&) {},
            [this](const StartMeasurement&) { ensure(!measuring_breaks, "measuring works"); }};
  }

  runtime_test::FakeApi api{};
  OpenFence fence{};
  Metrics metrics{"test"};
  FakeReconciler reconciler{};
  bool measuring_breaks = false;
  Executor executor;
};

// One pass after the other, without a thread.
class ControllerTest : public testing::Test {
 protected:
  ControllerTest() {
    reconciler().think = [](const ObjectKey&, WallTime, const Error*) { return one_write(); };
  }

  FakeReconciler& reconciler() { return world_.reconciler; }
  void will_fail(ErrorKind kind, std::optional<milliseconds> retry_after = {}) {
    world_.api.will_fail("patch HTTPRoute", {kind, "said the server", retry_after});
  }
  // Takes the key when it is due and makes the pass.
  void pass() {
    if (const auto due = controller_.next_due(); due && *due > clock_.monotonic())
      clock_.advance(until_due());
    const auto key = controller_.take_due();
    ASSERT_TRUE(key);
    controller_.pass(*key);
  }
  milliseconds until_due() {
    const auto due = controller_.next_due();
    return due ? std::chrono::duration_cast<milliseconds>(*due - clock_.monotonic())
               : milliseconds(-1);
  }
  // What the pause is after the first such failure and after many.
  void expect_back_off(ErrorKind kind, milliseconds longest) {
    controller_.enqueue(kShop);
    for (int i = 0; i < 20; ++i) {
      will_fail(kind);
      pass();
      if (i < 2) {
        EXPECT_EQ(until_due(), milliseconds(50 << i)) << to_string(kind);
      }
    }
    EXPECT_EQ(until_due(), longest) << to_string(kind);
  }

  runtime_test::CapturedLogs logs_;
  kube_test::FakeClock clock_;
  World world_{clock_};
  Controller controller_{world_.reconciler, world_.executor, clock_, world_.metrics};
};

TEST_F(ControllerTest, ATakenKeyIsGivenToNobodyElseUntilItsPassIsOver) {
  controller_.enqueue(kShop);
  const auto key = controller_.take_due();
  EXPECT_EQ(key, kShop);
  controller_.enqueue(kShop);
  EXPECT_EQ(controller_.take_due(), std::nullopt);
  controller_.pass(*key);
  EXPECT_EQ(controller_.take_due(), kShop);
}

TEST_F(ControllerTest, APassDecidesWithTheTimeOfTheClockAndExecutes) {
  std::optional<WallTime> told;
  reconciler().think = [&](const ObjectKey& key, WallTime now, const Error* refused) {
    EXPECT_EQ(key, kShop);
    EXPECT_EQ(refused, nullptr);
    told = now;
    return one_write();
  };
  controller_.enqueue(kShop);
  pass();
  EXPECT_EQ(told, clock_.now());
  EXPECT_EQ(world_.api.calls().size(), 1U);
}

TEST_F(ControllerTest, ADoneKeyRestsUntilItIsQueued) {
  controller_.enqueue(kShop);
  pass();
  EXPECT_EQ(controller_.next_due(), std::nullopt);
}

TEST_F(ControllerTest, LooksAgainWhenThePlanSaysSo) {
  reconciler().think = [](const ObjectKey&, WallTime now, const Error*) {
    Plan plan;
    plan.look_again_at(now + seconds(30));
    plan.look_again_at(now + seconds(10));
    plan.look_again_at(now + seconds(20));
    return plan;
  };
  controller_.enqueue(kShop);
  pass();
  EXPECT_EQ(until_due(), seconds(10));
}

TEST_F(ControllerTest, ATimeThatHasPassedMeansNow) {
  reconciler().think = [](const ObjectKey&, WallTime now, const Error*) {
    Plan plan;
    plan.look_again_at(now - seconds(10));
    return plan;
  };
  controller_.enqueue(kShop);
  pass();
  EXPECT_EQ(until_due(), milliseconds(0));
}

TEST_F(ControllerTest, AChangeComesBeforeTheTimeToLookAgain) {
  reconciler().think = [](const ObjectKey&, WallTime now, const Error*) {
    Plan plan;
    plan.look_again_at(now + seconds(30));
    return plan;
  };
  controller_.enqueue(kShop);
  pass();
  controller_.enqueue(kShop);
  EXPECT_EQ(until_due(), milliseconds(0));
}

// ---- failures: designs/001-failures.md, row by row ----

TEST_F(ControllerTest, WhatTheCacheMustCatchUpWithIsLookedAtSoon) {
  for (const auto kind : {ErrorKind::NotFound, ErrorKind::Conflict, ErrorKind::Gone}) {
    expect_back_off(kind, seconds(2));
    pass();
  }
}

TEST_F(ControllerTest, AnAbsentServerIsAskedEveryFewSeconds) {
  for (const auto kind : {ErrorKind::Unavailable, ErrorKind::Parse}) {
    expect_back_off(kind, seconds(5));
    pass();
  }
}

TEST_F(ControllerTest, ARefusedWriteIsTriedEveryMinute) {
  for (const auto kind : {ErrorKind::Invalid, ErrorKind::Forbidden}) {
    expect_back_off(kind, std::chrono::minutes(1));
    pass();
    pass();
  }
}

TEST_F(ControllerTest, ASuccessStartsTheBackOffOver) {
  controller_.enqueue(kShop);
  for (int i = 0; i < 5; ++i) {
    will_fail(ErrorKind::Unavailable);
    pass();
  }
  pass();
  controller_.enqueue(kShop);
  will_fail(ErrorKind::Unavailable);
  pass();
  EXPECT_EQ(until_due(), milliseconds(50));
}

TEST_F(ControllerTest, AThrottledKeyWaitsAsLongAsTheServerAsks) {
  controller_.enqueue(kShop);
  will_fail(ErrorKind::Throttled, seconds(20));
  pass();
  EXPECT_EQ(until_due(), seconds(20));
}

TEST_F(ControllerTest, AThrottledKeyWaitsASecondWhenTheServerDoesNotSay) {
  controller_.enqueue(kShop);
  will_fail(ErrorKind::Throttled);
  pass();
  EXPECT_EQ(until_due(), seconds(1));
}

TEST_F(ControllerTest, AChangeDoesNotWakeAThrottledKeyTooSoon) {
  reconciler().think = [&](const ObjectKey&, WallTime, const Error*) {
    controller_.enqueue(kShop);  // during the pass
    return one_write();
  };
  controller_.enqueue(kShop);
  will_fail(ErrorKind::Throttled, seconds(20));
  pass();
  EXPECT_EQ(until_due(), seconds(20));
  controller_.enqueue(kShop);  // and after it
  EXPECT_EQ(until_due(), seconds(20));
}

// Found by the exhaustive search: it came through when something else had been decided and done.
TEST_F(ControllerTest, AWriteThatWasGivenUpMayComeThroughBeforeAnythingElseIsDecided) {
  controller_.enqueue(kShop);
  will_fail(ErrorKind::Timeout);
  pass();
  controller_.enqueue(kShop);
  EXPECT_EQ(until_due(), seconds(3));
}

TEST_F(ControllerTest, AChangeWakesARefusedKeyAtOnce) {
  controller_.enqueue(kShop);
  will_fail(ErrorKind::Invalid);
  pass();
  controller_.enqueue(kShop);
  EXPECT_EQ(until_due(), milliseconds(0));
}

TEST_F(ControllerTest, ARefusalDoesNotMakeUsMissTheTimeToLookAgain) {
  reconciler().think = [](const ObjectKey&, WallTime now, const Error*) {
    auto plan = one_write();
    plan.look_again_at(now + seconds(5));
    return plan;
  };
  controller_.enqueue(kShop);
  for (int i = 0; i < 20; ++i) {
    will_fail(ErrorKind::Invalid);
    pass();
  }
  EXPECT_EQ(until_due(), seconds(5));
}

TEST_F(ControllerTest, ARefusalIsToldToTheNextPassesUntilTheServerAccepts) {
  std::vector<std::string> told;
  reconciler().think = [&](const ObjectKey&, WallTime, const Error* refused) {
    told.push_back(refused ? to_string(*refused) : "nothing");
    return one_write();
  };
  controller_.enqueue(kShop);
  will_fail(ErrorKind::Forbidden);
  pass();
  will_fail(ErrorKind::Conflict);
  pass();
  pass();  // accepted: and once more, so that the status stops saying so
  EXPECT_EQ(until_due(), milliseconds(0));
  pass();
  EXPECT_EQ(controller_.next_due(), std::nullopt);
  const std::string refusal = "Forbidden: patch HTTPRoute ns/shop: said the server";
  EXPECT_EQ(told, (std::vector<std::string>{"nothing", refusal, refusal, "nothing"}));
}

TEST_F(ControllerTest, ARefusalIsNobodyElsesBusiness) {
  controller_.enqueue(kShop);
  will_fail(ErrorKind::Invalid);
  pass();
  const Error* told = nullptr;
  reconciler().think = [&](const ObjectKey&, WallTime, const Error* refused) {
    told = refused;
    return Plan{};
  };
  controller_.enqueue(kBar);
  EXPECT_EQ(controller_.take_due(), kBar);
  controller_.pass(kBar);
  EXPECT_EQ(told, nullptr);
}

TEST_F(ControllerTest, AKeyWhoseReconcilerThrowsRestsAndTheOthersGoOn) {
  reconciler().think = [](const ObjectKey& key, WallTime, const Error*) {
    ensure(key != kShop, "weights add up");
    return one_write();
  };
  controller_.enqueue(kShop);
  EXPECT_NO_THROW(pass());
  EXPECT_EQ(until_due(), std::chrono::minutes(5));
  EXPECT_EQ(logs_.count("error {"), 1);
  EXPECT_EQ(logs_.count("weights add up"), 1);
  controller_.enqueue(kBar);
  pass();
  EXPECT_EQ(world_.api.calls().size(), 1U);
}

TEST_F(ControllerTest, AKeyThatBreaksTheExecutorRestsToo) {
  world_.measuring_breaks = true;
  reconciler().think = [](const ObjectKey&, WallTime, const Error*) {
    Plan plan;
    plan.actions.emplace_back(StartMeasurement{kShop, nullptr});
    return plan;
  };
  controller_.enqueue(kShop);
  EXPECT_NO_THROW(pass());
  EXPECT_EQ(until_due(), std::chrono::minutes(5));
}

TEST_F(ControllerTest, AThrowingPassRemembersTheRefusalBeforeIt) {
  controller_.enqueue(kShop);
  will_fail(ErrorKind::Invalid);
  pass();
  bool told = false;
  reconciler().think = [&](const ObjectKey&, WallTime, const Error* refused) {
    told = refused != nullptr;
    ensure(false, "weights add up");
    return Plan{};
  };
  pass();
  EXPECT_EQ(until_due(), std::chrono::minutes(5));
  pass();
  EXPECT_TRUE(told);
}

TEST_F(ControllerTest, AConflictIsNotWorthALogLine) {
  controller_.enqueue(kShop);
  will_fail(ErrorKind::Conflict);
  pass();
  EXPECT_EQ(logs_.count("pass ended early"), 0);
  will_fail(ErrorKind::Unavailable);
  pass();
  EXPECT_EQ(logs_.count("pass ended early"), 1);
}

TEST_F(ControllerTest, CountsPassesByTheirOutcome) {
  controller_.enqueue(kShop);
  will_fail(ErrorKind::Conflict);
  pass();
  pass();
  reconciler().think = [](const ObjectKey&, WallTime, const Error*) {
    ensure(false, "weights add up");
    return Plan{};
  };
  controller_.enqueue(kShop);
  pass();
  const auto text = world_.metrics.text();
  for (const std::string outcome : {"Conflict", "done", "Internal"}) {
    const auto line = "weir_reconciles_total{controller=\"fake\",outcome=\"" + outcome + "\"} 1";
    EXPECT_NE(text.find(line), std::string::npos) << line << "\nnot in\n" << text;
  }
  EXPECT_NE(text.find("weir_queue_depth{controller=\"fake\"} 1"), std::string::npos) << text;
}

// ---- with threads; bounds are there only to fail instead of to hang ----

class ControllerThreads : public testing::Test {
 protected:
  SystemClock clock_;
  World world_{clock_};
  Controller controller_{world_.reconciler, world_.executor, clock_, world_.metrics};
};

TEST_F(ControllerThreads, EveryKeyIsPassedAndNeverByTwoWorkersAtATime) {
  constexpr int kKeys = 20;
  std::array<std::atomic<int>, kKeys> inside{};
  std::array<std::atomic<int>, kKeys> passes{};
  std::atomic<bool> overlapped = false;
  world_.reconciler.think = [&](const ObjectKey& key, WallTime, const Error*) {
    const auto i = static_cast<std::size_t>(std::stoi(key.name));
    if (++inside[i] != 1) overlapped = true;
    ++passes[i];
    std::this_thread::yield();
    --inside[i];
    return Plan{};
  };
  controller_.start(4);
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < kKeys; ++i) controller_.enqueue({"ns", std::to_string(i)});
  }
  EXPECT_TRUE(eventually([&] {
    return std::all_of(passes.begin(), passes.end(), [](const auto& n) { return n > 0; });
  }));
  controller_.stop();
  EXPECT_FALSE(overlapped);
}

TEST_F(ControllerThreads, AKeyThatChangesDuringItsPassIsPassedAgain) {
  std::atomic<int> passes = 0;
  world_.reconciler.think = [&](const ObjectKey& key, WallTime, const Error*) {
    if (++passes == 1) controller_.enqueue(key);
    return Plan{};
  };
  controller_.start(2);
  controller_.enqueue(kShop);
  EXPECT_TRUE(eventually([&] { return passes == 2; }));
  controller_.stop();
}

TEST_F(ControllerThreads, AWaitingWorkerWakesForATimeAndForAnEarlierKey) {
  std::atomic<int> shop = 0;
  std::atomic<int> bar = 0;
  world_.reconciler.think = [&](const ObjectKey& key, WallTime now, const Error*) {
    Plan plan;
    if (key == kBar) ++bar;
    if (key == kShop && ++shop < 3) plan.look_again_at(now + milliseconds(5));
    if (key == kShop && shop == 3) plan.look_again_at(now + std::chrono::hours(1));
    return plan;
  };
  controller_.start(1);
  controller_.enqueue(kShop);
  EXPECT_TRUE(eventually([&] { return shop == 3; }));
  controller_.enqueue(kBar);
  EXPECT_TRUE(eventually([&] { return bar == 1; }));
  controller_.stop();
}

TEST_F(ControllerThreads, StopLetsThePassInHandEndAndBeginsNoOther) {
  std::latch inside(1);
  std::latch go_on(1);
  std::atomic<int> begun = 0;
  world_.reconciler.think = [&](const ObjectKey&, WallTime, const Error*) {
    ++begun;
    inside.count_down();
    go_on.wait();
    return one_write();
  };
  controller_.start(1);
  controller_.enqueue(kShop);
  inside.wait();
  controller_.enqueue(kBar);
  std::jthread stopper([&] { controller_.stop(); });
  go_on.count_down();
  stopper.join();
  EXPECT_EQ(world_.api.calls().size(), static_cast<std::size_t>(begun));
  EXPECT_GE(begun, 1);
  const int before = begun;
  controller_.enqueue(kShop);
  EXPECT_EQ(begun, before);
}

TEST_F(ControllerThreads, StopsWhenIdleAndWhenNeverStarted) {
  controller_.stop();
  Controller idle(world_.reconciler, world_.executor, clock_, world_.metrics);
  idle.start(3);
  idle.stop();
}

}  // namespace
}  // namespace weir
