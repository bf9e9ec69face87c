#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <stdexcept>

#include "runtime/task_pool.h"
#include "runtime_fakes.h"

namespace weir {
namespace {

using runtime_test::eventually;

void until_stopped(const std::stop_token& stop) { wait_until(SteadyTime::max(), stop); }

TEST(TaskPool, RunsWhatIsSubmitted) {
  std::atomic<int> ran = 0;
  TaskPool pool(3);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(pool.submit([&](const std::stop_token&) { ++ran; }));
  EXPECT_TRUE(eventually([&] { return ran == 100; }));
}

TEST(TaskPool, RunsAsManyAtATimeAsItHasThreads) {
  std::latch both_inside(2);
  std::atomic<int> met = 0;
  TaskPool pool(2);
  for (int i = 0; i < 2; ++i) {
    pool.submit([&](const std::stop_token&) {
      both_inside.arrive_and_wait();
      ++met;
    });
  }
  EXPECT_TRUE(eventually([&] { return met == 2; }));
}

TEST(TaskPool, OneThreadKeepsTheOrder) {
  std::vector<int> order;
  std::atomic<bool> ended = false;
  TaskPool pool(1);
  for (int i = 0; i < 5; ++i)
    pool.submit([&order, i](const std::stop_token&) { order.push_back(i); });
  pool.submit([&](const std::stop_token&) { ended = true; });
  ASSERT_TRUE(eventually([&] { return ended.load(); }));
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(TaskPool, AFullQueueRefusesAndRecovers) {
  std::latch begun(1);
  std::latch go_on(1);
  std::atomic<std::size_t> ran = 0;
  TaskPool pool(1);
  pool.submit([&](const std::stop_token&) {
    begun.count_down();
    go_on.wait();
  });
  begun.wait();
  const auto count = [&](const std::stop_token&) { ++ran; };
  for (std::size_t i = 0; i < kTaskQueueMax; ++i) ASSERT_TRUE(pool.submit(count));
  EXPECT_FALSE(pool.submit(count));
  go_on.count_down();
  EXPECT_TRUE(eventually([&] { return ran == kTaskQueueMax; }));
  EXPECT_TRUE(pool.submit(count));
}

TEST(TaskPool, StopEndsATaskThatHeedsItsTokenAndDropsThoseThatWait) {
  std::latch begun(1);
  std::atomic<bool> saw_stop = false;
  std::atomic<int> ran = 0;
  TaskPool pool(1);
  pool.submit([&](const std::stop_token& stop) {
    begun.count_down();
    until_stopped(stop);
    saw_stop = stop.stop_requested();
  });
  for (int i = 0; i < 10; ++i) pool.submit([&](const std::stop_token&) { ++ran; });
  begun.wait();
  pool.stop();
  EXPECT_TRUE(saw_stop);
  EXPECT_EQ(ran, 0);
}

TEST(TaskPool, AStoppedPoolRefuses) {
  TaskPool pool(1);
  pool.stop();
  EXPECT_FALSE(pool.submit([](const std::stop_token&) { ADD_FAILURE() << "ran"; }));
  pool.stop();
}

TEST(TaskPool, TheDestructorStopsAndJoins) {
  std::latch begun(1);
  std::atomic<bool> ended = false;
  {
    TaskPool pool(2);
    pool.submit([&](const std::stop_token& stop) {
      begun.count_down();
      until_stopped(stop);
      ended = true;
    });
    begun.wait();
  }
  EXPECT_TRUE(ended);
}

TEST(TaskPool, ATaskThatThrowsIsLoggedAndTheThreadLivesOn) {
  const runtime_test::CapturedLogs logs;
  std::atomic<bool> ran = false;
  TaskPool pool(1);
  pool.submit([](const std::stop_token&) { throw std::runtime_error("a task went wrong"); });
  pool.submit([&](const std::stop_token&) { ran = true; });
  EXPECT_TRUE(eventually([&] { return ran.load(); }));
  EXPECT_EQ(logs.count("a task went wrong"), 1);
}

}  // namespace
}  // namespace weir
