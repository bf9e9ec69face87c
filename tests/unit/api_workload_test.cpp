#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/workload.h"
#include "delivery/revision.h"

namespace weir {
namespace {

Json json(const std::string& text) { return *parse_json(text); }

TEST(Workload, ADeploymentsTemplateAndItsReplicaSetsAreOneRevision) {
  const Json deployment = json(R"({"metadata":{"labels":{"app":"shop"}},"spec":{"a":1}})");
  const Json set = json(R"({"metadata":{"creationTimestamp":null,"labels":{"app":"shop",
      "pod-template-hash":"abc","weir.dev/release":"shop"}},"spec":{"a":1}})");
  EXPECT_EQ(revision_of(plain_template(set)), revision_of(plain_template(deployment)));
  EXPECT_EQ(plain_template(deployment), deployment);
}

TEST(Workload, SelectorsBecomeQueries) {
  EXPECT_EQ(selector_query(json(R"({"matchLabels":{"app":"shop","tier":"web"}})")),
            "app=shop,tier=web");
  EXPECT_EQ(selector_query(json(R"({"matchExpressions":[
      {"key":"a","operator":"In","values":["x","y"]},{"key":"b","operator":"NotIn","values":["z"]},
      {"key":"c","operator":"Exists"},{"key":"d","operator":"DoesNotExist"}]})")),
            "a in (x,y),b notin (z),c,!d");
  EXPECT_EQ(selector_query(Json::object()), "");
}

TEST(Workload, ADeploymentIsReadAsItsControllerTellsIt) {
  const auto view = decode_deployment(json(R"({
      "metadata":{"name":"shop","namespace":"ns","generation":4},
      "spec":{"replicas":3,"paused":true,"selector":{"matchLabels":{"app":"shop"}},
              "template":{"metadata":{"creationTimestamp":null},"spec":{}}},
      "status":{"observedGeneration":4,"replicas":3,"updatedReplicas":2,"availableReplicas":1}})"));
  ASSERT_TRUE(view);
  EXPECT_EQ(view->selector_text, R"({"matchLabels":{"app":"shop"}})");
  EXPECT_EQ(view->template_text, R"({"metadata":{},"spec":{}})");
  EXPECT_TRUE(view->paused && view->observed);
  EXPECT_EQ((std::vector{view->replicas, view->current, view->updated, view->available}),
            (std::vector{3, 3, 2, 1}));
  EXPECT_FALSE(decode_deployment(json(R"({"metadata":{"name":"a","generation":2}})"))->observed);
}

}  // namespace
}  // namespace weir
