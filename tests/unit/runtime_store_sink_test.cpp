#include <gtest/gtest.h>

#include "runtime/store_sink.h"
#include "runtime_fakes.h"

namespace weir {
namespace {

using runtime_test::object;
using runtime_test::Thing;

const ObjectKey kA{"ns", "a"};

Result<Thing> decode(const Json& json) {
  if (json_text(json, {"metadata", "name"}) == "bad")
    return Error{ErrorKind::Invalid, "metadata.name: bad"};
  return Thing{{{"ns", json_text(json, {"metadata", "name"})},
                json_text(json, {"metadata", "uid"}),
                json_text(json, {"metadata", "resourceVersion"})},
               ""};
}

std::string side(const Thing* each) {
  return each ? each->meta.key.name + "@" + each->meta.resource_version : "none";
}

class StoreSinkTest : public testing::Test {
 protected:
  std::string version_of(const ObjectKey& key) const {
    const auto entry = store_.find(key);
    return entry ? entry->meta.resource_version : "none";
  }

  runtime_test::CapturedLogs logs_;
  Store<Thing> store_;
  std::vector<std::string> changes_;  // "before → after"
  StoreSink<Thing> sink_{store_, decode, [this](const Thing* before, const Thing* after) {
                           changes_.push_back(side(before) + " → " + side(after));
                         }};
};

using Changes = std::vector<std::string>;

TEST_F(StoreSinkTest, StoresWhatItIsGivenAndTellsBeforeAndAfter) {
  sink_.put(object("a", "1"));
  sink_.put(object("a", "2"));
  sink_.erase(object("a", "3"));
  EXPECT_EQ(changes_, (Changes{"none → a@1", "a@1 → a@2", "a@2 → none"}));
  EXPECT_EQ(store_.size(), 0U);
}

TEST_F(StoreSinkTest, TellsAChangeAfterItStandsInTheStore) {
  std::string seen;
  StoreSink<Thing> sink(store_, decode, [&](const Thing*, const Thing*) { seen = version_of(kA); });
  sink.put(object("a", "5"));
  EXPECT_EQ(seen, "5");
}

TEST_F(StoreSinkTest, TheDeletionOfAnUnknownObjectStillTellsWhomItConcerns) {
  sink_.erase(object("a", "3"));
  EXPECT_EQ(changes_, Changes{"a@3 → none"});
}

TEST_F(StoreSinkTest, AListTellsWhatIsGoneAndWhatIsThere) {
  sink_.put(object("a", "1"));
  changes_.clear();
  sink_.put_page({object("b", "2")});
  sink_.put_page({object("c", "3")});
  EXPECT_TRUE(changes_.empty());
  EXPECT_EQ(store_.size(), 1U);
  sink_.replace_all("10");
  EXPECT_EQ(changes_, (Changes{"a@1 → none", "none → b@2", "none → c@3"}));
  EXPECT_EQ(store_.size(), 2U);
}

TEST_F(StoreSinkTest, AListThatBeginsAnewForgetsItsPages) {
  sink_.put_page({object("b", "2")});
  sink_.drop_pages();
  sink_.put_page({object("c", "3")});
  sink_.replace_all("10");
  EXPECT_EQ(changes_, Changes{"none → c@3"});
}

TEST_F(StoreSinkTest, AnOwnWriteIsStoredAndTellsNobody) {
  sink_.put_own(object("a", "5"));
  EXPECT_EQ(version_of(kA), "5");
  EXPECT_TRUE(changes_.empty());
}

TEST_F(StoreSinkTest, TheWatchDeliveringAnOwnWriteTellsAboutIt) {
  sink_.put_own(object("a", "5"));
  sink_.put(object("a", "5"));
  EXPECT_EQ(changes_, Changes{"a@5 → a@5"});
}

TEST_F(StoreSinkTest, AnUnreadableObjectIsSaidAndLeftOut) {
  sink_.put(object("bad", "1"));
  sink_.put_own(object("bad", "2"));
  sink_.erase(object("bad", "3"));
  EXPECT_TRUE(changes_.empty());
  EXPECT_EQ(store_.size(), 0U);
  EXPECT_EQ(logs_.count("Invalid: metadata.name: bad"), 3);
}

TEST_F(StoreSinkTest, AnUnreadableObjectDoesNotSpoilItsList) {
  sink_.put_page({object("bad", "1"), object("a", "2")});
  sink_.replace_all("10");
  EXPECT_EQ(changes_, Changes{"none → a@2"});
  EXPECT_EQ(store_.size(), 1U);
}

}  // namespace
}  // namespace weir
