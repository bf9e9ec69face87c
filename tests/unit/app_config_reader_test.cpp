#include <gtest/gtest.h>

#include "app/config_reader.h"
#include "kube/kinds.h"
#include "runtime_fakes.h"

namespace weir {
namespace {

const ConfigRef kApp{false, "app"};
const ConfigRef kKeys{true, "keys"};

std::shared_ptr<const ConfigQuestion> question() {
  auto asked = std::make_shared<ConfigQuestion>();
  asked->release_uid = "uid-release";
  asked->generation = 3;
  asked->refs = {kApp, kKeys};
  return asked;
}

TEST(ConfigReader, ReadsEachByItsNameAndWakesTheRelease) {
  const runtime_test::CapturedLogs logs;
  runtime_test::FakeApi api;
  const kube_test::FakeClock clock;
  ConfigBook book;
  TaskPool pool(1);
  std::atomic<int> woken = 0;
  api.exists(kinds::kConfigMap, Json{{"data", {{"LEVEL", "info"}}}});
  api.exists(kinds::kSecret, Json{{"data", {{"token", "dDBw"}}}});
  ConfigReader reader(api, clock, book, pool, [&](const ObjectKey& key) {
    EXPECT_EQ(to_string(key), "ns/shop");
    ++woken;
  });
  reader.start({"ns", "shop"}, question());
  ASSERT_TRUE(runtime_test::eventually([&] { return woken == 1; }));
  const auto answers = book.read("uid-release").answers;
  EXPECT_EQ(answers->at(kApp)->parts, (Json{{"data", {{"LEVEL", "info"}}}}));
  EXPECT_EQ(api.whats(), (std::vector<std::string>{"get ConfigMap", "get Secret"}));
  EXPECT_EQ(api.calls().at(1).key, (ObjectKey{"ns", "keys"}));

  api.will_fail("get Secret", {ErrorKind::Forbidden, "secrets is forbidden"});
  reader.start({"ns", "shop"}, question());
  ASSERT_TRUE(runtime_test::eventually([&] { return woken == 2; }));
  EXPECT_EQ(book.read("uid-release").answers->at(kKeys).error().kind, ErrorKind::Forbidden);
  EXPECT_EQ(logs.count("config not readable"), 1);
  EXPECT_EQ(logs.count("dDBw"), 0);
}

TEST(ConfigReader, AfterTheEndNobodyWaits) {
  runtime_test::FakeApi api;
  const kube_test::FakeClock clock;
  ConfigBook book;
  TaskPool pool(1);
  pool.stop();
  ConfigReader reader(api, clock, book, pool, [](const ObjectKey&) {});
  reader.start({"ns", "shop"}, question());
  EXPECT_FALSE(book.read("uid-release").waiting);
}

}  // namespace
}  // namespace weir
