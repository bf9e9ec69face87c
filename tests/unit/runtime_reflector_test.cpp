#include <gtest/gtest.h>

#include "runtime/reflector.h"
#include "runtime_fakes.h"

namespace weir {
namespace {

using runtime_test::event_line;
using runtime_test::object;
using Do = Reflector::Next::Do;

// Writes down what it is told: "put a@5", "erase a@6", "replace a@1 b@2 as of 10".
class DiarySink final : public ObjectSink {
 public:
  void put(const Json& object) override { diary.push_back("put" + describe(object)); }
  void erase(const Json& object) override { diary.push_back("erase" + describe(object)); }
  void put_page(std::vector<Json> objects) override {
    for (const auto& object : objects) listed_ += describe(object);
  }
  void replace_all(const std::string& resource_version) override {
    diary.push_back("replace" + std::exchange(listed_, {}) + " as of " + resource_version);
  }
  void drop_pages() override { listed_.clear(); }

  std::vector<std::string> diary{};

 private:
  static std::string describe(const Json& object) {
    return " " + json_text(object, {"metadata", "name"}) + "@" +
           json_text(object, {"metadata", "resourceVersion"});
  }

  std::string listed_{};
};

// With NoJitter a pause is half of its longest: 125 ms after the first failure.
class ReflectorTest : public testing::Test {
 protected:
  Reflector::Next next() const { return reflector_.next(clock_.monotonic()); }
  // How long nothing is to be done.
  milliseconds pause() const {
    const auto step = next();
    if (step.what != Do::Wait) return milliseconds(0);
    return std::chrono::duration_cast<milliseconds>(step.until - clock_.monotonic());
  }
  void wait() { clock_.advance(pause()); }
  void page(const std::vector<Json>& items, const std::string& version,
            const std::string& next = "") {
    reflector_.on_page(ListPage{items, version, next}, clock_.monotonic());
  }
  void page_fails(Error error) { reflector_.on_page(std::move(error), clock_.monotonic()); }
  bool line(std::string_view text) { return reflector_.on_line(text, clock_.monotonic()); }
  void closed(const Result<void>& how = {}) { reflector_.on_closed(how, clock_.monotonic()); }
  bool expired() {
    return line(event_line("ERROR", {{"kind", "Status"},
                                     {"code", 410},
                                     {"reason", "Expired"},
                                     {"message", "too old resource version: 5 (9)"}}));
  }
  void expect_next(Do what, const std::string& position) const {
    EXPECT_EQ(next().what, what);
    EXPECT_EQ(next().position, position);
  }

  kube_test::FakeClock clock_;
  kube_test::NoJitter random_;
  DiarySink sink_;
  Reflector reflector_{sink_, random_};
};

using Diary = std::vector<std::string>;

// ---- the list ----

TEST_F(ReflectorTest, BeginsWithAList) {
  expect_next(Do::List, "");
  EXPECT_FALSE(reflector_.synced());
}

TEST_F(ReflectorTest, ListsPageByPageAndHandsOverTheWholeList) {
  page({object("a", "1")}, "10", "token");
  expect_next(Do::List, "token");
  EXPECT_TRUE(sink_.diary.empty());
  EXPECT_FALSE(reflector_.synced());
  page({object("b", "2")}, "10");
  EXPECT_EQ(sink_.diary, Diary{"replace a@1 b@2 as of 10"});
  EXPECT_TRUE(reflector_.synced());
}

TEST_F(ReflectorTest, WatchesFromTheVersionOfTheList) {
  page({}, "10");
  expect_next(Do::Watch, "10");
}

TEST_F(ReflectorTest, AFailedPageStartsTheListOverAndHalfAListIsNeverSeen) {
  page({object("a", "1")}, "10", "token");
  page_fails({ErrorKind::Gone, "the continue token has expired"});
  EXPECT_TRUE(sink_.diary.empty());
  wait();
  expect_next(Do::List, "");
  page({object("b", "12")}, "20");
  EXPECT_EQ(sink_.diary, Diary{"replace b@12 as of 20"});
}

TEST_F(ReflectorTest, FailedListsBackOffUpToACap) {
  std::vector<milliseconds::rep> pauses;
  for (int i = 0; i < 9; ++i) {
    page_fails({ErrorKind::Unavailable, "refused"});
    pauses.push_back(pause().count());
    wait();
  }
  EXPECT_EQ(pauses,
            (std::vector<milliseconds::rep>{125, 250, 500, 1000, 2000, 4000, 7500, 7500, 7500}));
  EXPECT_EQ(reflector_.last_error(), "Unavailable: refused");
}

TEST_F(ReflectorTest, WaitsAsLongAsTheServerAsksWhenThrottled) {
  page_fails({ErrorKind::Throttled, "slow down", seconds(60)});
  EXPECT_EQ(pause(), seconds(60));
}

TEST_F(ReflectorTest, AShortRetryAfterDoesNotShortenThePause) {
  page_fails({ErrorKind::Throttled, "slow down", milliseconds(1)});
  EXPECT_EQ(pause(), milliseconds(125));
}

TEST_F(ReflectorTest, ASuccessfulListForgetsTheError) {
  page_fails({ErrorKind::Unavailable, "refused"});
  wait();
  page({}, "10");
  EXPECT_EQ(reflector_.last_error(), "");
  EXPECT_EQ(pause(), milliseconds(0));
}

// ---- events ----

TEST_F(ReflectorTest, HandsOverEventsAndGoesOnFromTheLast) {
  page({}, "10");
  EXPECT_TRUE(line(event_line("ADDED", object("a", "11"))));
  EXPECT_TRUE(line(event_line("MODIFIED", object("a", "12"))));
  EXPECT_TRUE(line(event_line("DELETED", object("a", "13"))));
  EXPECT_EQ(sink_.diary, (Diary{"replace as of 10", "put a@11", "put a@12", "erase a@13"}));
  closed();
  expect_next(Do::Watch, "13");
}

TEST_F(ReflectorTest, ABookmarkMovesTheVersionAndNothingElse) {
  page({}, "10");
  EXPECT_TRUE(line(event_line("BOOKMARK", {{"metadata", {{"resourceVersion", "50"}}}})));
  EXPECT_EQ(sink_.diary, Diary{"replace as of 10"});
  closed();
  expect_next(Do::Watch, "50");
}

TEST_F(ReflectorTest, AnEventWithoutAVersionIsPassedOver) {
  page({}, "10");
  EXPECT_TRUE(line(R"({"type":"ADDED","object":{"metadata":{"name":"a"}}})"));
  EXPECT_EQ(sink_.diary, Diary{"replace as of 10"});
  expect_next(Do::Watch, "10");
}

TEST_F(ReflectorTest, ALineThatIsNoJsonEndsTheWatchAndListsAgain) {
  page({}, "10");
  EXPECT_FALSE(line(R"({"type":"ADD)"));
  closed();
  EXPECT_EQ(pause(), milliseconds(125));
  wait();
  expect_next(Do::List, "");
}

TEST_F(ReflectorTest, ALineThatIsNoEventEndsTheWatchAndListsAgain) {
  for (const std::string_view text :
       {"{}", "[]", "7", "null", R"({"type":"ADDED"})", R"({"kind":"Status","code":500})"}) {
    page({}, "10");
    EXPECT_FALSE(line(text)) << text;
    EXPECT_GT(pause(), milliseconds(0)) << text;
    wait();
    expect_next(Do::List, "");
  }
}

// ---- the end of a watch ----

TEST_F(ReflectorTest, AnErrorLineListsAgain) {
  page({object("a", "5")}, "10");
  EXPECT_FALSE(expired());
  wait();
  expect_next(Do::List, "");
}

TEST_F(ReflectorTest, TheOldCacheStaysUntilTheNewListIsWhole) {
  page({object("a", "5")}, "10");
  expired();
  closed();
  wait();
  page({}, "20", "token");
  EXPECT_TRUE(reflector_.synced());
  EXPECT_EQ(sink_.diary, Diary{"replace a@5 as of 10"});
  page({}, "20");
  EXPECT_EQ(sink_.diary.back(), "replace as of 20");
}

TEST_F(ReflectorTest, AnErrorLineIsOneFailureAndSaysWhatItWas) {
  page({}, "10");
  closed();  // so that the next connection has nothing to its credit
  expired();
  closed();  // the connection that we closed ourselves
  EXPECT_EQ(pause(), milliseconds(125));
  EXPECT_EQ(reflector_.last_error(), "Gone: too old resource version: 5 (9)");
}

TEST_F(ReflectorTest, AnErrorLineThatThrottlesIsHeeded) {
  page({}, "10");
  line(event_line("ERROR", {{"kind", "Status"},
                            {"code", 429},
                            {"reason", "TooManyRequests"},
                            {"message", "slow down"},
                            {"details", {{"retryAfterSeconds", 30}}}}));
  closed();
  EXPECT_EQ(pause(), seconds(30));
  EXPECT_EQ(reflector_.last_error(), "Throttled: slow down");
}

TEST_F(ReflectorTest, AWatchThatIsRefusedAsTooOldListsAgain) {
  page({}, "10");
  closed(Error{ErrorKind::Gone, "too old"});
  EXPECT_EQ(pause(), milliseconds(125));
  wait();
  expect_next(Do::List, "");
}

TEST_F(ReflectorTest, ABrokenConnectionGoesOnWhereItWas) {
  page({}, "10");
  line(event_line("ADDED", object("a", "11")));
  closed(Error{ErrorKind::Unavailable, "reset by peer"});
  EXPECT_EQ(pause(), milliseconds(125));
  wait();
  expect_next(Do::Watch, "11");
}

TEST_F(ReflectorTest, AWatchThatSaidSomethingIsFollowedAtOnce) {
  page({}, "10");
  closed();
  EXPECT_EQ(pause(), milliseconds(0));
  line(event_line("ADDED", object("a", "11")));
  closed();
  EXPECT_EQ(pause(), milliseconds(0));
}

TEST_F(ReflectorTest, AServerThatClosesAtOnceIsAskedLessAndLess) {
  page({}, "10");
  closed();
  std::vector<milliseconds::rep> pauses;
  for (int i = 0; i < 4; ++i) {
    closed();
    pauses.push_back(pause().count());
    wait();
    expect_next(Do::Watch, "10");
  }
  EXPECT_EQ(pauses, (std::vector<milliseconds::rep>{125, 250, 500, 1000}));
}

TEST_F(ReflectorTest, AQuietWatchThatLivedEndsWithoutAPause) {
  page({}, "10");
  closed();
  for (int i = 0; i < 5; ++i) {
    clock_.advance(seconds(290));
    closed();
    EXPECT_EQ(pause(), milliseconds(0));
    EXPECT_EQ(reflector_.last_error(), "");
  }
}

TEST_F(ReflectorTest, AWatchThatLivedForgetsOldFailures) {
  page({}, "10");
  for (int i = 0; i < 5; ++i) {
    closed(Error{ErrorKind::Unavailable, "reset"});
    wait();
  }
  clock_.advance(seconds(290));
  closed(Error{ErrorKind::Unavailable, "reset"});
  EXPECT_EQ(pause(), milliseconds(125));
}

TEST_F(ReflectorTest, AnEventForgetsOldFailures) {
  page({}, "10");
  for (int i = 0; i < 5; ++i) {
    closed(Error{ErrorKind::Unavailable, "reset"});
    wait();
  }
  line(event_line("ADDED", object("a", "11")));
  EXPECT_EQ(reflector_.last_error(), "");
  closed(Error{ErrorKind::Unavailable, "reset"});
  EXPECT_EQ(pause(), milliseconds(125));
}

TEST_F(ReflectorTest, AServerWhoseVersionsAreAlwaysTooOldIsListedLessAndLess) {
  std::vector<milliseconds::rep> pauses;
  for (int i = 0; i < 4; ++i) {
    page({}, "10");
    closed(Error{ErrorKind::Gone, "too old"});
    pauses.push_back(pause().count());
    wait();
  }
  EXPECT_EQ(pauses, (std::vector<milliseconds::rep>{125, 250, 500, 1000}));
}

TEST_F(ReflectorTest, JitterStretchesThePauseUpToDouble) {
  struct High final : Random {
    double uniform() override { return 0.999; }
  } high;
  Reflector reflector(sink_, high);
  reflector.on_page(Error{ErrorKind::Unavailable, "refused"}, clock_.monotonic());
  const auto until = reflector.next(clock_.monotonic()).until;
  EXPECT_EQ(until - clock_.monotonic(), milliseconds(249));
}

TEST_F(ReflectorTest, ARefreshedOneIsSyncedOnlyAfterTheWholeOfANewList) {
  page({object("a", "1")}, "10");
  reflector_.refresh();
  EXPECT_FALSE(reflector_.synced());
  EXPECT_EQ(next().what, Do::List);
  EXPECT_EQ(next().position, "");
  page({object("b", "2")}, "20", "token");
  EXPECT_FALSE(reflector_.synced());
  page({object("c", "3")}, "20");
  EXPECT_TRUE(reflector_.synced());
  EXPECT_EQ(next().what, Do::Watch);
  EXPECT_EQ(next().position, "20");
}

}  // namespace
}  // namespace weir
