// What watchers of the in-memory API server get.
#include <fmt/format.h>

#include "unit/sim_server_support.h"

namespace weir::sim {
namespace {

class History : public ServerTest {
 protected:
  std::vector<std::string> seen_since(std::uint64_t version, const Selection& selection) {
    std::vector<std::string> seen;
    const auto events = *server_.since(version, kConfigMap);
    for (const auto* event : events) {
      if (const auto what = seen_by(*event, selection))
        seen.push_back(fmt::format("{} {}", what->type,
                                   json_text(*what->object, {"metadata", "resourceVersion"})));
    }
    return seen;
  }
};

TEST_F(History, EventsOfOneKindComeInOrder) {
  const auto begin = server_.version();
  created(config_map("a"));
  ASSERT_TRUE(create(kinds::kRelease, release()));
  ASSERT_TRUE(merge("a", {{"data", {{"a", "2"}}}}));
  ASSERT_TRUE(remove(kConfigMap, "a"));
  const auto events = *server_.since(begin, kConfigMap);
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0]->type, "ADDED");
  EXPECT_EQ(events[0]->previous, nullptr);
  EXPECT_EQ(events[1]->type, "MODIFIED");
  EXPECT_EQ(events[2]->type, "DELETED");
  EXPECT_EQ(json_text(*events[2]->object, {"metadata", "resourceVersion"}),
            std::to_string(events[2]->version));
  EXPECT_TRUE(server_.since(events[2]->version, kConfigMap)->empty());
}

TEST_F(History, CopiesNothing) {
  const auto begin = server_.version();
  created(config_map("a"));
  ASSERT_TRUE(merge("a", {{"data", {{"a", "2"}}}}));
  const auto events = *server_.since(begin, kConfigMap);
  EXPECT_EQ(events[0]->object, events[1]->previous);
  EXPECT_EQ(events[1]->object.get(), find("a"));
  EXPECT_EQ(seen_by(*events[1], {})->object, events[1]->object);
}

TEST_F(History, IsGoneAfterCompaction) {
  EXPECT_EQ(server_.since(1, kConfigMap).error().kind, ErrorKind::Gone);
  const auto begin = server_.version();
  created(config_map("a"));
  const auto middle = server_.version();
  created(config_map("b"));
  server_.compact(middle);
  EXPECT_EQ(server_.since(begin, kConfigMap).error().kind, ErrorKind::Gone);
  EXPECT_EQ(server_.since(middle, kConfigMap)->size(), 1U);
  server_.compact(server_.version() + 1000);
  EXPECT_TRUE(server_.since(server_.version(), kConfigMap)->empty());
}

TEST_F(History, ASelectorSeesObjectsComeAndGo) {
  const auto begin = server_.version();
  created(config_map("a"));
  ASSERT_TRUE(merge("a", {{"metadata", {{"labels", {{"on", "yes"}}}}}}));
  ASSERT_TRUE(merge("a", {{"data", {{"a", "2"}}}}));
  ASSERT_TRUE(merge("a", {{"metadata", {{"labels", {{"on", "no"}}}}}}));
  const auto version = server_.version();
  ASSERT_TRUE(remove(kConfigMap, "a"));
  EXPECT_EQ(seen_since(begin, {"", "on=yes"}),
            (std::vector<std::string>{fmt::format("ADDED {}", version - 2),
                                      fmt::format("MODIFIED {}", version - 1),
                                      fmt::format("DELETED {}", version)}));
  EXPECT_TRUE(seen_since(begin, {"elsewhere", ""}).empty());
  EXPECT_TRUE(seen_since(begin, {"", "on in yes"}).empty());
  EXPECT_EQ(seen_since(begin, {"shop-ns", ""}).size(), 5U);
}

TEST_F(History, LinesAreThoseOfAWatch) {
  EXPECT_EQ(event_line("ADDED", Json{{"a", 1}}), R"({"type":"ADDED","object":{"a":1}})");
  EXPECT_EQ(parsed(bookmark_line(kinds::kRelease, 7)),
            parsed(R"({"type":"BOOKMARK","object":{"apiVersion":"weir.dev/v1alpha1",
                      "kind":"Release","metadata":{"resourceVersion":"7"}}})"));
}

TEST_F(History, AWatchDeliversWhatIsThereAndEnds) {
  WatchRequest request{kConfigMap, {"shop-ns", ""}, std::to_string(server_.version())};
  created(config_map("a"));
  created(config_map("b"));
  int lines = 0;
  EXPECT_TRUE(server_.watch(request, [&](std::string_view) { return ++lines < 5; }, {}));
  EXPECT_EQ(lines, 2);
  request.resource_version = "1";
  EXPECT_EQ(server_.watch(request, [](std::string_view) { return true; }, {}).error().kind,
            ErrorKind::Gone);
}

}  // namespace
}  // namespace weir::sim
