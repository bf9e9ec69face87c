#include <gtest/gtest.h>

#include "kube/kinds.h"
#include "kube/paths.h"

namespace weir {
namespace {

TEST(Paths, NameTheCollectionOfAKind) {
  EXPECT_EQ(*collection_path(kinds::kService, "shop"), "/api/v1/namespaces/shop/services");
  EXPECT_EQ(*collection_path(kinds::kService, ""), "/api/v1/services");
  EXPECT_EQ(*collection_path(kinds::kReplicaSet, "shop"),
            "/apis/apps/v1/namespaces/shop/replicasets");
  EXPECT_EQ(*collection_path(kinds::kRelease, ""), "/apis/weir.dev/v1alpha1/releases");
}

TEST(Paths, NameAnObjectAndItsSubresource) {
  EXPECT_EQ(*object_path(kinds::kReplicaSet, {"shop", "web-1"}),
            "/apis/apps/v1/namespaces/shop/replicasets/web-1");
  EXPECT_EQ(*object_path(kinds::kReplicaSet, {"shop", "web-1"}, "scale"),
            "/apis/apps/v1/namespaces/shop/replicasets/web-1/scale");
  EXPECT_EQ(*object_path(kinds::kRelease, {"", "x"}, "status"),
            "/apis/weir.dev/v1alpha1/releases/x/status");
}

TEST(Paths, EncodeUnusualNames) {
  EXPECT_EQ(*object_path(kinds::kService, {"a b", "system:x?y#z"}),
            "/api/v1/namespaces/a%20b/services/system%3Ax%3Fy%23z");
}

TEST(Paths, RefuseANameThatWouldLeadElsewhere) {
  for (const char* name : {"", ".", "..", "a/b", "../secrets/x", "a%2fb"}) {
    const auto path = object_path(kinds::kService, {"shop", name});
    ASSERT_FALSE(path) << name;
    EXPECT_EQ(path.error().kind, ErrorKind::Invalid);
  }
  for (const char* ns : {".", "..", "a/b", "%"})
    EXPECT_FALSE(collection_path(kinds::kService, ns)) << ns;
}

TEST(Paths, QueriesHaveEncodedValuesAndNoEmptyOnes) {
  EXPECT_EQ(query_string({}), "");
  EXPECT_EQ(query_string({{"a", ""}}), "");
  EXPECT_EQ(query_string({{"labelSelector", "app in (a,b),x=y"}, {"b", ""}, {"c", "1+1"}}),
            "?labelSelector=app%20in%20%28a%2Cb%29%2Cx%3Dy&c=1%2B1");
}

TEST(Kind, KnowsItsApiVersion) {
  EXPECT_EQ(kinds::kService.api_version(), "v1");
  EXPECT_EQ(kinds::kReplicaSet.api_version(), "apps/v1");
}

TEST(ObjectKey, IsShownWithItsNamespaceIfItHasOne) {
  EXPECT_EQ(to_string(ObjectKey{"shop", "web"}), "shop/web");
  EXPECT_EQ(to_string(ObjectKey{"", "web"}), "web");
}

}  // namespace
}  // namespace weir
