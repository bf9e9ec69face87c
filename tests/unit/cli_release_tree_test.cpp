#include <gtest/gtest.h>

#include "cli/arguments.h"
#include "cli/release_tree.h"
#include "delivery_scene.h"

namespace weir::test {
namespace {

const ArgumentSpec kSpec{{"namespace"}, {"watch"}, {{"n", "namespace"}, {"w", "watch"}}, 1};

Result<Arguments> parse(const std::vector<std::string>& words) {
  return Arguments::parse(words, kSpec);
}

TEST(Arguments, TakesValuesInEveryUsualForm) {
  for (const auto& words :
       {std::vector<std::string>{"--namespace=a"}, {"--namespace", "a"}, {"-n", "a"}, {"-n=a"}})
    EXPECT_EQ(parse(words)->value("namespace"), "a") << words[0];
}

TEST(Arguments, KeepsWhatIsNoFlag) {
  const auto arguments = parse({"shop", "-w"});
  ASSERT_TRUE(arguments);
  EXPECT_EQ(arguments->positional(), std::vector<std::string>{"shop"});
  EXPECT_TRUE(arguments->has("watch"));
  EXPECT_EQ(arguments->value("namespace", "default"), "default");
}

TEST(Arguments, NamesWhatItCannotUse) {
  for (const auto& words :
       {std::vector<std::string>{"--nope"}, {"-x"}, {"--namespace"}, {"--watch=1"}, {"a", "b"}}) {
    const auto arguments = parse(words);
    ASSERT_FALSE(arguments) << words[0];
    EXPECT_NE(arguments.error().message.find(words.back().substr(0, 4)), std::string::npos)
        << arguments.error().message;
  }
}

TEST(ReleaseTree, ShowsWhoServesHowMuch) {
  Release release;
  release.meta.key = {"shop-ns", "shop"};
  release.status.phase = Phase::Progressing;
  release.status.message = "holding 25 %";
  release.status.stable = StableStatus{"v1", 4, 4};
  CanaryStatus canary;
  canary.revision = "v2";
  canary.replicas = canary.ready = 1;
  canary.step = 2;
  canary.steps = 4;
  release.status.canary = canary;
  release.status.weights = {{"v1", 75}, {"v2", 25}};
  EXPECT_EQ(release_tree(release, false),
            "shop  Progressing  step 2/4\n"
            "├─ stable    v1  ███████████████░░░░░  75 %  4/4 pods ready\n"
            "├─ canary    v2  █████░░░░░░░░░░░░░░░  25 %  1/1 pods ready\n"
            "└─ holding 25 %\n");
  EXPECT_EQ(release_line(release), "shop Progressing step 2/4 canary 25 % holding 25 %");
}

TEST(ReleaseTree, SaysWhenTheOperatorHasNotSeenIt) {
  Release release;
  release.meta.key = {"shop-ns", "shop"};
  EXPECT_EQ(release_tree(release, true),
            "shop-ns/shop  Pending\n└─ not seen by the operator yet\n");
}

}  // namespace
}  // namespace weir::test
