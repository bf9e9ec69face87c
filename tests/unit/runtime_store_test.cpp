#include <gtest/gtest.h>

#include "runtime/store.h"
#include "runtime_fakes.h"

namespace weir {
namespace {

using runtime_test::Thing;
using runtime_test::thing;

const ObjectKey kA{"ns", "a"};
const ObjectKey kB{"ns", "b"};

std::string version_of(const Store<Thing>& store, const ObjectKey& key) {
  const auto entry = store.find(key);
  return entry ? entry->meta.resource_version : "none";
}

std::string names(const std::vector<Store<Thing>::Entry>& entries) {
  std::string result;
  for (const auto& entry : entries) result += entry->meta.key.name;
  return result;
}

TEST(Store, FindsNothingWhenEmpty) {
  const Store<Thing> store;
  EXPECT_EQ(store.find(kA), nullptr);
  EXPECT_EQ(store.size(), 0U);
  EXPECT_TRUE(store.all().empty());
  EXPECT_TRUE(store.in_group("g").empty());
}

TEST(Store, PutTellsWhatStoodThereBefore) {
  Store<Thing> store;
  const auto first = thing("a", "1");
  EXPECT_EQ(store.put(first), nullptr);
  EXPECT_EQ(store.put(thing("a", "2")), first);
  EXPECT_EQ(store.size(), 1U);
}

TEST(Store, AReaderKeepsWhatItGotWhenTheEntryChanges) {
  Store<Thing> store;
  store.put(thing("a", "1"));
  const auto held = store.find(kA);
  store.put(thing("a", "2"));
  store.erase(kA, "3");
  EXPECT_EQ(held->meta.resource_version, "1");
}

TEST(Store, ShowsAnOwnWriteAtOnce) {
  Store<Thing> store;
  store.put(thing("a", "1"));
  store.put_own(thing("a", "5"));
  EXPECT_EQ(version_of(store, kA), "5");
}

TEST(Store, KeepsAnOwnWriteAgainstAnOlderVersionFromTheWatch) {
  Store<Thing> store;
  store.put_own(thing("a", "5"));
  store.put(thing("a", "4"));
  EXPECT_EQ(version_of(store, kA), "5");
  store.put(thing("a", "6"));
  EXPECT_EQ(version_of(store, kA), "6");
}

TEST(Store, ComparesVersionsAsNumbers) {
  Store<Thing> store;
  store.put_own(thing("a", "10"));
  store.put(thing("a", "9"));
  EXPECT_EQ(version_of(store, kA), "10");
}

TEST(Store, IgnoresAnOwnWriteThatTheWatchIsPast) {
  Store<Thing> store;
  store.put(thing("a", "7"));
  store.put_own(thing("a", "5"));
  EXPECT_EQ(version_of(store, kA), "7");
}

TEST(Store, IgnoresAnOwnWriteOfAnObjectThatTheWatchHasSeenDeleted) {
  Store<Thing> store;
  store.put(thing("a", "1"));
  store.erase(kA, "6");
  store.put_own(thing("a", "5"));
  EXPECT_EQ(store.find(kA), nullptr);
}

TEST(Store, IgnoresAnOwnWriteThatAListLeftOut) {
  Store<Thing> store;
  store.replace_all({}, "6");
  store.put_own(thing("a", "5"));
  EXPECT_EQ(store.find(kA), nullptr);
}

TEST(Store, AnEventOfAnotherObjectTellsThatTheWatchIsPast) {
  Store<Thing> store;
  store.put(thing("b", "6"));
  store.put_own(thing("a", "5"));
  EXPECT_EQ(store.find(kA), nullptr);
}

TEST(Store, EraseTellsWhatStoodThere) {
  Store<Thing> store;
  const auto entry = thing("a", "1");
  store.put(entry);
  EXPECT_EQ(store.erase(kA, "2"), entry);
  EXPECT_EQ(store.erase(kA, "3"), nullptr);
}

TEST(Store, TheDeletionOfAnObjectSparesItsSuccessorOfOurs) {
  Store<Thing> store;
  store.put(thing("a", "1"));
  store.put_own(thing("a", "9"));  // deleted at 8, created again by us at 9
  EXPECT_EQ(store.erase(kA, "8"), nullptr);
  EXPECT_EQ(version_of(store, kA), "9");
  EXPECT_NE(store.erase(kA, "10"), nullptr);
  EXPECT_EQ(store.find(kA), nullptr);
}

TEST(Store, ADeletionAtTheVersionHeldCounts) {
  Store<Thing> store;
  store.put(thing("a", "5"));
  EXPECT_NE(store.erase(kA, "5"), nullptr);
}

TEST(Store, AListReplacesWhatItLeavesOutAndTellsWhatIsGone) {
  Store<Thing> store;
  const auto a = thing("a", "1");
  store.put(a);
  store.put(thing("b", "2"));
  const auto gone = store.replace_all({thing("b", "3")}, "5");
  EXPECT_EQ(gone, std::vector<Store<Thing>::Entry>{a});
  EXPECT_EQ(names(store.all()), "b");
  EXPECT_EQ(version_of(store, kB), "3");
}

TEST(Store, AListKeepsOwnWritesThatAreNewer) {
  Store<Thing> store;
  store.put_own(thing("a", "8"));
  store.put_own(thing("b", "9"));
  EXPECT_TRUE(store.replace_all({thing("b", "2")}, "5").empty());
  EXPECT_EQ(version_of(store, kA), "8");
  EXPECT_EQ(version_of(store, kB), "9");
}

TEST(Store, AnOwnWriteKeptByAListIsDeletedByTheWatch) {
  Store<Thing> store;
  store.put_own(thing("a", "8"));
  store.replace_all({}, "5");
  store.erase(kA, "9");
  EXPECT_EQ(store.size(), 0U);
}

TEST(Store, FindsTheMembersOfAGroup) {
  Store<Thing> store([](const Thing& each) { return each.group; });
  store.put(thing("a", "1", "red"));
  store.put(thing("b", "2", "blue"));
  store.put(thing("c", "3", "red"));
  EXPECT_EQ(names(store.in_group("red")), "ac");
  EXPECT_EQ(names(store.in_group("blue")), "b");
  EXPECT_EQ(names(store.in_group("green")), "");
}

TEST(Store, AnObjectThatChangesItsGroupLeavesTheOldOne) {
  Store<Thing> store([](const Thing& each) { return each.group; });
  store.put(thing("a", "1", "red"));
  store.put(thing("a", "2", "blue"));
  EXPECT_EQ(names(store.in_group("red")), "");
  EXPECT_EQ(names(store.in_group("blue")), "a");
}

TEST(Store, GroupsFollowDeletionsListsAndOwnWrites) {
  Store<Thing> store([](const Thing& each) { return each.group; });
  store.put(thing("a", "1", "red"));
  store.put(thing("b", "2", "red"));
  store.erase(kA, "3");
  EXPECT_EQ(names(store.in_group("red")), "b");
  store.put_own(thing("c", "4", "red"));
  EXPECT_EQ(names(store.in_group("red")), "bc");
  store.replace_all({thing("d", "5", "red")}, "6");
  EXPECT_EQ(names(store.in_group("red")), "d");
}

TEST(Store, AGroupShowsTheVersionHeldNotTheOneRefused) {
  Store<Thing> store([](const Thing& each) { return each.group; });
  store.put_own(thing("a", "5", "red"));
  store.put(thing("a", "4", "blue"));
  EXPECT_EQ(names(store.in_group("red")), "a");
  EXPECT_EQ(names(store.in_group("blue")), "");
}

TEST(ResourceVersion, IsANumberOrOlderThanEverything) {
  EXPECT_EQ(parse_resource_version("123"), 123U);
  EXPECT_EQ(parse_resource_version("18446744073709551615"), 18446744073709551615U);
  EXPECT_EQ(parse_resource_version(""), 0U);
  EXPECT_EQ(parse_resource_version("12a"), 0U);
  EXPECT_EQ(parse_resource_version("-1"), 0U);
  EXPECT_EQ(parse_resource_version("18446744073709551616"), 0U);
}

}  // namespace
}  // namespace weir
