#include <gtest/gtest.h>

#include "delivery/revision.h"
#include "delivery_scene.h"

namespace weir::test {
namespace {

ReleaseSpec spec_with(const std::string& pod_template) {
  ReleaseSpec spec;
  spec.template_text = pod_template;
  spec.service = {"shop", {{"http", 80, "8080"}}};
  return spec;
}

constexpr const char* kTemplate = R"({"spec":{"containers":[{"name":"shop","image":"shop:1",)"
                                  R"("ports":[{"containerPort":8080}]}]}})";

// Golden: if this changes, an upgrade of Weir would release the whole fleet.
TEST(Revision, HashesHoldFromVersionToVersion) {
  EXPECT_EQ(revision_of(*parse_json(kTemplate)), "x9rfr586jn");
}

TEST(Revision, OrderAndSpaceOfTheTemplateDoNotMatter) {
  EXPECT_EQ(revision_of(*parse_json(R"({"a":1,"b":[1,2]})")),
            revision_of(*parse_json(R"({ "b": [1, 2], "a": 1 })")));
}

TEST(Revision, AnImageLaidOverMakesTheSameRevisionAsTheSameImageInTheTemplate) {
  auto laid_over = spec_with(kTemplate);
  laid_over.images = {{"shop", "shop:2"}};
  std::string text = kTemplate;
  text.replace(text.find("shop:1"), 6, "shop:2");
  EXPECT_EQ(revision_of(*resolved_template(laid_over)),
            revision_of(*resolved_template(spec_with(text))));
}

TEST(Revision, AnImageForNoContainerIsRefusedWithItsField) {
  auto spec = spec_with(kTemplate);
  spec.images = {{"shop", "shop:2"}, {"typo", "x"}};
  const auto resolved = resolved_template(spec);
  ASSERT_FALSE(resolved);
  EXPECT_NE(resolved.error().message.find("spec.images[1].container: found \"typo\""),
            std::string::npos);
}

Json replica_set(Lifecycle lifecycle, const std::string& pod_template) {
  Scene scene;
  auto spec = spec_with(pod_template);
  spec.lifecycle = lifecycle;
  const PinnedPolicy policy{"standard", 1, usual_policy(), "pin"};
  return replica_set_body(scene.release(), spec, {"v2", *parse_json(pod_template), 3, policy});
}

TEST(ReplicaSetBody, SelectsItsOwnPodsOnlyAndIsOwned) {
  const auto body = replica_set(Lifecycle::PreStopSleep, kTemplate);
  const Json labels{{"weir.dev/release", "shop"}, {"weir.dev/revision", "v2"}};
  EXPECT_EQ(body["metadata"]["name"], "shop-v2");
  EXPECT_EQ(body["spec"]["selector"]["matchLabels"], labels);
  EXPECT_TRUE(json_covers(body["spec"]["template"]["metadata"]["labels"], labels));
  EXPECT_EQ(body["metadata"]["ownerReferences"][0]["uid"], "uid-release");
  EXPECT_EQ(body["spec"]["minReadySeconds"], 5);
}

TEST(ReplicaSetBody, ContainersThatServeSleepBeforeTheyStop) {
  const auto container = [](const Json& body) {
    return body["spec"]["template"]["spec"]["containers"][0];
  };
  EXPECT_EQ(container(replica_set(Lifecycle::PreStopSleep,
                                  kTemplate))["lifecycle"]["preStop"]["sleep"]["seconds"],
            5);
  EXPECT_FALSE(container(replica_set(Lifecycle::AsGiven, kTemplate)).contains("lifecycle"));
  const char* own = R"({"spec":{"containers":[{"name":"a","ports":[{"containerPort":1}],)"
                    R"("lifecycle":{"preStop":{"exec":{"command":["x"]}}}}]}})";
  EXPECT_FALSE(
      container(replica_set(Lifecycle::PreStopSleep, own))["lifecycle"]["preStop"].contains(
          "sleep"));
  const char* silent = R"({"spec":{"containers":[{"name":"a"}]}})";
  EXPECT_FALSE(container(replica_set(Lifecycle::PreStopSleep, silent)).contains("lifecycle"));
}

TEST(ServiceBody, TargetPortsAreNumbersOrNames) {
  Scene scene;
  auto spec = spec_with(kTemplate);
  spec.service.ports = {{"http", 80, "8080"}, {"admin", 81, "admin"}};
  const auto ports = revision_service_body(scene.release(), spec, "v2")["spec"]["ports"];
  EXPECT_EQ(ports[0]["targetPort"], 8080);
  EXPECT_EQ(ports[1]["targetPort"], "admin");
}

TEST(Pin, SurvivesTheWayIntoAnAnnotationAndBack) {
  CanaryPolicy policy;
  policy.meta.key = {"shop-ns", "standard"};
  policy.meta.generation = 4;
  policy.spec_text = R"({"drain":"7s"})";
  const auto pinned = decode_pin(pin_text(policy));
  ASSERT_TRUE(pinned) << pinned.error().message;
  EXPECT_EQ(pinned->name, "standard");
  EXPECT_EQ(pinned->generation, 4);
  EXPECT_EQ(pinned->spec.drain, seconds(7));
}

TEST(TrafficMemo, ComesBackAsItWent) {
  const Traffic traffic{
      "v1", "v2",           25,
      "v0", at_second(3.5), RollbackMark{"v9", "errors", "7 of \"9\"", at_second(1), at_second(2)}};
  EXPECT_EQ(*decode_traffic(encode_traffic(traffic)), traffic);
}

TEST(TrafficMemo, NonsenseIsRefused) {
  for (const auto* memo : {"", "{}", "[]", R"({"stable":""})", R"({"stable":"a","weight":5})",
                           R"({"stable":"a","canary":"b","weight":101})"})
    EXPECT_FALSE(decode_traffic(memo)) << memo;
}

}  // namespace
}  // namespace weir::test
