#include <gtest/gtest.h>

#include "cli/release_tree.h"

namespace weir::test {
namespace {

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
  EXPECT_EQ(release_tree(release, {}),
            "shop  Progressing  step 2/4\n"
            "├─ stable    v1  ███████████████░░░░░  75 %  4/4 pods ready\n"
            "├─ canary    v2  █████░░░░░░░░░░░░░░░  25 %  1/1 pods ready\n"
            "└─ holding 25 %\n");
  EXPECT_EQ(release_line(release), "shop Progressing step 2/4 canary 25 % holding 25 %");
}

TEST(ReleaseTree, SaysWhenTheOperatorHasNotSeenIt) {
  Release release;
  release.meta.key = {"shop-ns", "shop"};
  EXPECT_EQ(release_tree(release, {true}),
            "shop-ns/shop  Pending\n└─ not seen by the operator yet\n");
}

}  // namespace
}  // namespace weir::test
