// The in-memory API server as the operator and the simulated world use it. What HTTP shows is in tests/contract.
#include <fmt/format.h>

#include "unit/sim_server_support.h"

namespace weir::sim {
namespace {

Json owned_by(const Json& owner, bool blocks = false) {
  return Json::array({Json{{"apiVersion", "v1"},
                           {"kind", "ConfigMap"},
                           {"name", owner["metadata"]["name"]},
                           {"uid", owner["metadata"]["uid"]},
                           {"blockOwnerDeletion", blocks}}});
}

TEST_F(ServerTest, ANameIsTakenOnce) {
  EXPECT_TRUE(create(kConfigMap, config_map("a")));
  EXPECT_EQ(create(kConfigMap, config_map("a")).error().kind, ErrorKind::AlreadyExists);
}

TEST_F(ServerTest, NothingIsCreatedInANamespaceThatIsNotThere) {
  const auto created = server_.create(kConfigMap, "nowhere", config_map("a"), false, kNever);
  EXPECT_EQ(created.error().kind, ErrorKind::NotFound);
}

TEST_F(ServerTest, AnUnknownKindIsNotFound) {
  const Kind kind{"weir.dev", "v1", "Moon", "moons"};
  EXPECT_EQ(create(kind, config_map("a")).error().kind, ErrorKind::NotFound);
}

TEST_F(ServerTest, AStaleVersionIsAConflictAndAnotherUidIsInvalid) {
  const auto object = created(config_map("a"));
  EXPECT_EQ(merge("a", {{"metadata", {{"resourceVersion", "1"}}}}).error().kind,
            ErrorKind::Conflict);
  EXPECT_EQ(merge("a", {{"metadata", {{"uid", "other"}}}}).error().kind, ErrorKind::Invalid);
  EXPECT_TRUE(merge("a", {{"metadata", {{"uid", object["metadata"]["uid"]}}}}));
  EXPECT_EQ(merge("b", Json::object()).error().kind, ErrorKind::NotFound);
}

TEST_F(ServerTest, AFailedTestOfAJsonPatchIsAConflictAsOverHttp) {
  created(config_map("a"));
  const auto patched = patch(kConfigMap, "a", Patch::Type::JsonPatch,
                             parsed(R"([{"op":"test","path":"/data/a","value":"2"}])"));
  EXPECT_EQ(patched.error().kind, ErrorKind::Conflict);
  const auto misfit = patch(kConfigMap, "a", Patch::Type::JsonPatch,
                            parsed(R"([{"op":"remove","path":"/data/b"}])"));
  EXPECT_EQ(misfit.error().kind, ErrorKind::Invalid);
}

TEST_F(ServerTest, WhatChangesNothingIsNoWrite) {
  created(config_map("a"));
  const auto before = server_.version();
  EXPECT_TRUE(merge("a", {{"data", {{"a", "1"}}}}));
  EXPECT_EQ(server_.version(), before);
}

TEST_F(ServerTest, OnlyAChangeOfTheSpecIsANewGeneration) {
  ASSERT_TRUE(create(kinds::kRelease, release()));
  const auto generation = [&](const Json& body, const std::string& subresource) {
    const auto patched = patch(kinds::kRelease, "shop", Patch::Type::JsonMerge, body, subresource);
    return json_int(*patched, {"metadata", "generation"});
  };
  EXPECT_EQ(generation({{"metadata", {{"labels", {{"x", "y"}}}}}}, ""), 1);
  EXPECT_EQ(generation({{"status", {{"phase", "Healthy"}}}}, "status"), 1);
  EXPECT_EQ(generation({{"spec", {{"replicas", 3}}}}, ""), 2);
}

TEST_F(ServerTest, DefaultsAndRefusalsComeFromTheDefinitions) {
  const auto stored = create(kinds::kRelease, release());
  ASSERT_TRUE(stored) << stored.error().message;
  EXPECT_EQ((*stored)["spec"]["replicas"], 1);
  EXPECT_EQ((*stored)["spec"]["service"]["ports"][0]["protocol"], "TCP");
  Json wrong = release();
  wrong["metadata"]["name"] = "other";
  wrong["spec"]["replicas"] = -1;
  EXPECT_NE(create(kinds::kRelease, wrong).error().message.find("spec.replicas"),
            std::string::npos);
}

TEST_F(ServerTest, AnAppliedStatusLosesWhatIsNoLongerSent) {
  const Json object = *create(kinds::kRelease, release());
  const auto apply = [&](const Json& status) {
    return *patch(kinds::kRelease, "shop", Patch::Type::Apply,
                  Json{{"apiVersion", "weir.dev/v1alpha1"},
                       {"kind", "Release"},
                       {"metadata", {{"name", "shop"}, {"uid", object["metadata"]["uid"]}}},
                       {"status", status}},
                  "status");
  };
  apply({{"phase", "Progressing"}, {"message", "x"}});
  const auto after = apply({{"phase", "Healthy"}});
  EXPECT_EQ(after["status"], Json({{"phase", "Healthy"}}));
  EXPECT_FALSE(after["metadata"].contains("managedFields"));
  const auto version = server_.version();
  apply({{"phase", "Healthy"}});
  EXPECT_EQ(server_.version(), version);
}

TEST_F(ServerTest, DeletionAsksForTheRightUidAndTakesTheChildrenAlong) {
  const auto owner = created(config_map("a"));
  Json child = config_map("child");
  child["metadata"]["ownerReferences"] = owned_by(owner);
  created(child);
  const ObjectKey key{"shop-ns", "a"};
  EXPECT_EQ(server_.remove(kConfigMap, key, "other", kNever).error().kind, ErrorKind::Conflict);
  EXPECT_EQ(server_.remove(kConfigMap, key, "", kNever).error().kind, ErrorKind::Invalid);
  EXPECT_TRUE(remove(kConfigMap, "a"));
  EXPECT_EQ(find("child"), nullptr);
}

TEST_F(ServerTest, AChildWhoseOwnerIsGoneGoesToo) {
  const auto owner = created(config_map("a"));
  ASSERT_TRUE(remove(kConfigMap, "a"));
  Json child = config_map("late");
  child["metadata"]["ownerReferences"] = owned_by(owner);
  EXPECT_TRUE(create(kConfigMap, child));
  EXPECT_EQ(find("late"), nullptr);
}

TEST_F(ServerTest, AFinalizerKeepsWhatIsDeleted) {
  Json kept = config_map("a");
  kept["metadata"]["finalizers"] = {"weir.dev/x"};
  created(kept);
  ASSERT_TRUE(remove(kConfigMap, "a"));
  ASSERT_NE(find("a"), nullptr);
  EXPECT_NE(json_text(*find("a"), {"metadata", "deletionTimestamp"}), "");
  ASSERT_TRUE(merge("a", {{"metadata", {{"finalizers", nullptr}}}}));
  EXPECT_EQ(find("a"), nullptr);
}

TEST_F(ServerTest, TheWorldIsAskedNothing) {
  Json kept = config_map("a");
  kept["metadata"]["finalizers"] = {"weir.dev/x"};
  created(kept);
  server_.edit(kConfigMap, {"shop-ns", "a"}, [](Json& object) { object["data"]["a"] = "2"; });
  EXPECT_EQ((*find("a"))["data"]["a"], "2");
  server_.drop(kConfigMap, {"shop-ns", "a"});
  EXPECT_EQ(find("a"), nullptr);
}

TEST_F(ServerTest, AnObserverSeesBeforeAndAfter) {
  std::vector<std::string> seen;
  server_.on_write([&](const ObjectRef& ref, const Json& before, const Json& after) {
    seen.push_back(fmt::format("{} {} {}", ref.key.name, before.is_null(), after.is_null()));
  });
  created(config_map("a"));
  ASSERT_TRUE(merge("a", {{"data", {{"a", "2"}}}}));
  ASSERT_TRUE(remove(kConfigMap, "a"));
  EXPECT_EQ(seen, (std::vector<std::string>{"a true false", "a false false", "a false true"}));
}

TEST_F(ServerTest, PagesShowTheVersionOfTheFirstOne) {
  for (int i = 0; i < kListPageSize + 2; ++i) created(config_map(fmt::format("c{:03}", i)));
  const auto first = *server_.list(kConfigMap, {"shop-ns", ""}, "", kNever);
  EXPECT_EQ(first.items.size(), static_cast<std::size_t>(kListPageSize));
  ASSERT_TRUE(remove(kConfigMap, "c101"));
  ASSERT_TRUE(merge("c100", {{"data", {{"a", "2"}}}}));
  created(config_map("c100a"));
  const auto second = *server_.list(kConfigMap, {"shop-ns", ""}, first.next, kNever);
  ASSERT_EQ(second.items.size(), 2U);
  EXPECT_EQ(second.resource_version, first.resource_version);
  EXPECT_EQ(second.items[0]["data"]["a"], "1");
  EXPECT_EQ(second.items[1]["metadata"]["name"], "c101");
  EXPECT_EQ(second.next, "");
  server_.compact(server_.version());
  EXPECT_EQ(server_.list(kConfigMap, {"shop-ns", ""}, first.next, kNever).error().kind,
            ErrorKind::Gone);
}

TEST_F(ServerTest, EqualCallsGiveEqualObjects) {
  ApiServer other(clock_);
  other.add_namespace("shop-ns");
  Json object = config_map("");
  object["metadata"] = {{"generateName", "a-"}};
  const auto theirs = other.create(kConfigMap, "shop-ns", object, false, kNever);
  EXPECT_EQ(*create(kConfigMap, object), *theirs);
}

}  // namespace
}  // namespace weir::sim
