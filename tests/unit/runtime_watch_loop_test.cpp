#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "runtime/store_sink.h"
#include "runtime/watch_loop.h"
#include "runtime_fakes.h"

namespace weir {
namespace {

using runtime_test::event_line;
using runtime_test::eventually;
using runtime_test::object;
using runtime_test::Thing;

Result<Thing> decode(const Json& json) {
  return Thing{{{"ns", json_text(json, {"metadata", "name"})},
                json_text(json, {"metadata", "uid"}),
                json_text(json, {"metadata", "resourceVersion"})},
               ""};
}

// A loop on a thread of its own, with the machine's clock: bounds are there only to fail instead of to hang.
class WatchLoopTest : public testing::Test {
 protected:
  void start() {
    thread_ = std::jthread([this](const std::stop_token& stop) {
      loop_.run(stop);
      ended_ = true;
    });
  }
  void stop() {
    thread_.request_stop();
    EXPECT_TRUE(eventually([&] { return ended_.load(); }));
    thread_.join();
  }
  bool holds(const std::string& name) const { return store_.find({"ns", name}) != nullptr; }
  std::size_t asked(const std::string& what) const {
    const auto whats = api_.whats();
    return static_cast<std::size_t>(std::count(whats.begin(), whats.end(), what));
  }

  runtime_test::CapturedLogs logs_;
  runtime_test::FakeApi api_;
  SystemClock clock_;
  kube_test::NoJitter random_;
  Store<Thing> store_;
  StoreSink<Thing> sink_{store_, decode, [](const Thing*, const Thing*) {}};
  WatchLoop loop_{WatchScope{kinds::kService, {"ns", "weir.dev/release"}}, api_, sink_, clock_,
                  random_};
  std::atomic<bool> ended_ = false;
  std::jthread thread_;
};

TEST_F(WatchLoopTest, ListsAllPagesThenIsSyncedThenWatches) {
  EXPECT_FALSE(loop_.synced());
  EXPECT_EQ(loop_.kind(), "Service");
  api_.will_list(ListPage{{object("a", "1")}, "10", "token"});
  api_.will_list(ListPage{{object("b", "2")}, "10", ""});
  start();
  EXPECT_TRUE(eventually([&] { return asked("watch Service") == 1; }));
  EXPECT_TRUE(loop_.synced());
  EXPECT_TRUE(holds("a") && holds("b"));
  stop();
  const auto calls = api_.calls();
  EXPECT_EQ(calls.at(0).detail, "");
  EXPECT_EQ(calls.at(1).detail, "token");
  EXPECT_EQ(calls.at(2).detail, "10");
}

TEST_F(WatchLoopTest, AsksForItsKindAndSelection) {
  WatchRequest asked_for;
  std::atomic<bool> asked = false;
  api_.on_watch([&](const WatchRequest& request, const auto&, const std::stop_token& stop) {
    asked_for = request;
    asked = true;
    wait_until(SteadyTime::max(), stop);
    return Error{ErrorKind::Shutdown, "stop requested"};
  });
  start();
  EXPECT_TRUE(eventually([&] { return asked.load(); }));
  stop();
  EXPECT_EQ(asked_for.kind, kinds::kService);
  EXPECT_EQ(asked_for.selection.ns, "ns");
  EXPECT_EQ(asked_for.selection.labels, "weir.dev/release");
}

TEST_F(WatchLoopTest, EventsReachTheStoreAndTheNextWatchGoesOnAfterThem) {
  std::atomic<int> watches = 0;
  api_.on_watch(
      [&](const WatchRequest&, const auto& on_line, const std::stop_token& stop) -> Result<void> {
        if (++watches == 1) {
          EXPECT_TRUE(on_line(event_line("ADDED", object("a", "11"))));
          return {};
        }
        wait_until(SteadyTime::max(), stop);
        return Error{ErrorKind::Shutdown, "stop requested"};
      });
  start();
  EXPECT_TRUE(eventually([&] { return asked("watch Service") == 2; }));
  EXPECT_TRUE(holds("a"));
  stop();
  EXPECT_EQ(api_.calls().back().detail, "11");
}

TEST_F(WatchLoopTest, ListsAgainAfterAnErrorLineAndStaysSynced) {
  std::atomic<int> watches = 0;
  api_.will_list(ListPage{{object("a", "1")}, "10", ""});
  api_.will_list(ListPage{{object("b", "20")}, "20", ""});
  api_.on_watch(
      [&](const WatchRequest&, const auto& on_line, const std::stop_token& stop) -> Result<void> {
        if (++watches == 1) {
          EXPECT_FALSE(on_line(
              event_line("ERROR", {{"code", 410}, {"reason", "Expired"}, {"message", "too old"}})));
          EXPECT_TRUE(loop_.synced());
          return {};
        }
        wait_until(SteadyTime::max(), stop);
        return Error{ErrorKind::Shutdown, "stop requested"};
      });
  start();
  EXPECT_TRUE(eventually([&] { return asked("watch Service") == 2; }));
  EXPECT_TRUE(holds("b"));
  EXPECT_FALSE(holds("a"));
  stop();
  EXPECT_EQ(api_.calls().back().detail, "20");
  EXPECT_EQ(logs_.count("Gone: too old"), 1);
}

TEST_F(WatchLoopTest, IsNotSyncedWhileListsFailAndSaysItOnce) {
  for (int i = 0; i < 3; ++i) api_.will_list(Error{ErrorKind::Forbidden, "no lists for you"});
  start();
  EXPECT_TRUE(eventually([&] { return asked("list Service") >= 2; }));
  EXPECT_FALSE(loop_.synced() && asked("list Service") < 4);
  EXPECT_TRUE(eventually([&] { return loop_.synced(); }));
  stop();
  EXPECT_EQ(logs_.count("no lists for you"), 1);
}

TEST_F(WatchLoopTest, StopEndsASilentWatch) {
  start();
  EXPECT_TRUE(eventually([&] { return asked("watch Service") == 1; }));
  stop();
  EXPECT_EQ(logs_.count("watch interrupted"), 0);
}

TEST_F(WatchLoopTest, StopEndsAPause) {
  api_.will_list(Error{ErrorKind::Throttled, "come back in an hour", seconds(3600)});
  start();
  EXPECT_TRUE(eventually([&] { return logs_.count("come back in an hour") == 1; }));
  stop();
}

TEST_F(WatchLoopTest, DoesNothingWhenStoppedBeforeItBegins) {
  std::stop_source stopped;
  stopped.request_stop();
  loop_.run(stopped.get_token());
  EXPECT_TRUE(api_.calls().empty());
}

TEST_F(WatchLoopTest, ARefreshEndsTheWatchAndIsSyncedAfterTheWholeOfANewList) {
  api_.will_list(ListPage{{object("a", "1")}, "10", ""});
  start();
  ASSERT_TRUE(eventually([&] { return asked("watch Service") == 1; }));
  api_.will_list(ListPage{{object("b", "20")}, "30", "token"});
  api_.will_list(Error{ErrorKind::Unavailable, "reset"});
  api_.will_list(ListPage{{object("c", "30")}, "30", ""});
  loop_.refresh();
  EXPECT_FALSE(loop_.synced() && !holds("c"));
  EXPECT_TRUE(eventually([&] { return loop_.synced(); }));
  EXPECT_TRUE(holds("c"));
  EXPECT_FALSE(holds("a") || holds("b"));
  EXPECT_TRUE(eventually([&] { return asked("watch Service") == 2; }));
  stop();
  EXPECT_EQ(api_.calls().back().detail, "30");
}

TEST_F(WatchLoopTest, AListThatBeganBeforeARefreshDoesNotCountForIt) {
  std::atomic<int> watches = 0;
  api_.on_watch([&](const WatchRequest&, const auto&, const std::stop_token& stop) -> Result<void> {
    // What is still listed when it comes, as far as the loop can tell.
    if (++watches == 1) loop_.refresh();
    wait_until(SteadyTime::max(), stop);
    return Error{ErrorKind::Shutdown, "stop requested"};
  });
  start();
  EXPECT_TRUE(eventually([&] { return watches == 2; }));
  EXPECT_TRUE(loop_.synced());
  EXPECT_EQ(asked("list Service"), 2U);
  stop();
}

}  // namespace
}  // namespace weir
