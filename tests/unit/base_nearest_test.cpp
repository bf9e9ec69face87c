#include <gtest/gtest.h>

#include "base/nearest.h"

namespace weir {
namespace {

const std::vector<std::string_view> kFields{
    "replicas", "revisionHistoryLimit", "template", "images", "service", "traffic", "strategy",
    "keepWarm"};

TEST(NearestWord, FindsWhatWasMeant) {
  for (const auto& [word, meant] : std::vector<std::pair<std::string, std::string>>{
           {"replcas", "replicas"},
           {"replicsa", "replicas"},
           {"Replicas", "replicas"},
           {"image", "images"},
           {"keepwarm", "keepWarm"},
           {"revisionHistoryLimits", "revisionHistoryLimit"},
           {"trafic", "traffic"}})
    EXPECT_EQ(nearest_word(word, kFields), meant);
}

TEST(NearestWord, SaysNothingWhenNothingIsNear) {
  for (const auto* word : {"", "x", "pods", "paused", "something", "rep"})
    EXPECT_EQ(nearest_word(word, kFields), "") << word;
  EXPECT_EQ(nearest_word(std::string(100'000, 'a'), {"a"}), "");
  EXPECT_EQ(nearest_word("a", {}), "");
}

TEST(NearestWord, BecomesAQuestion) {
  EXPECT_EQ(did_you_mean("replcas", kFields), ", did you mean \"replicas\"?");
  EXPECT_EQ(did_you_mean("pods", kFields), "");
}

}  // namespace
}  // namespace weir
