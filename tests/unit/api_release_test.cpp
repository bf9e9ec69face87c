#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/codec.h"

namespace weir {
namespace {

Json minimal() {
  return Json::parse(R"({
    "template": {"spec": {"containers": [{"name": "shop", "image": "shop:1"}]}},
    "service": {"ports": [{"name": "http", "port": 80}]},
    "traffic": {"type": "GatewayAPI", "gatewayAPI": {"parentRefs": [{"name": "web"}]}},
    "strategy": {"type": "Canary", "canary": {"policyRef": {"name": "standard"}}}})");
}

Result<ReleaseSpec> decode_with(const std::string& patch) {
  Json spec = minimal();
  spec.merge_patch(Json::parse(patch));
  return decode_release_spec(spec, "shop");
}

TEST(ReleaseSpec, WhatIsLeftOutHasItsDefault) {
  const auto release = decode_with("{}");
  ASSERT_TRUE(release) << release.error().message;
  EXPECT_EQ(release->replicas, 1);
  EXPECT_EQ(release->revision_history_limit, 10);
  EXPECT_EQ(release->lifecycle, Lifecycle::PreStopSleep);
  EXPECT_EQ(release->service.name, "shop");
  ASSERT_EQ(release->service.ports.size(), 1U);
  EXPECT_EQ(release->service.ports[0].target_port, "80");
  EXPECT_EQ(release->service.ports[0].protocol, "TCP");
  EXPECT_EQ(release->service.ports[0].app_protocol, "");
  EXPECT_EQ(release->traffic.gateway_api.rules_text, "[]");
  EXPECT_TRUE(release->traffic.gateway_api.hostnames.empty());
  EXPECT_EQ(release->policy, "standard");
  EXPECT_EQ(release->keep_warm.duration, seconds(0));
  EXPECT_EQ(release->keep_warm.replicas_percent, 100);
}

TEST(ReleaseSpec, PartsThatOthersReadAreCanonicalText) {
  const auto release = decode_with(R"({"traffic": {"gatewayAPI": {
      "parentRefs": [{"namespace": "gateways", "name": "web"}],
      "rules": [{"timeouts": {"request": "10s"}, "matches": []}]}}})");
  ASSERT_TRUE(release) << release.error().message;
  EXPECT_EQ(release->template_text,
            R"({"spec":{"containers":[{"image":"shop:1","name":"shop"}]}})");
  EXPECT_EQ(release->traffic.gateway_api.parent_refs_text,
            R"([{"name":"web","namespace":"gateways"}])");
  EXPECT_EQ(release->traffic.gateway_api.rules_text,
            R"([{"matches":[],"timeouts":{"request":"10s"}}])");
}

TEST(ReleaseSpec, RouterReplicasNeedsNoSettings) {
  const auto release = decode_with(R"({"traffic": {"type": "Replicas", "gatewayAPI": null}})");
  ASSERT_TRUE(release) << release.error().message;
  EXPECT_EQ(release->traffic.type, TrafficType::Replicas);
}

TEST(ReleaseSpec, ConfigIsTwoListsOfNames) {
  EXPECT_TRUE(decode_with("{}")->config.config_maps.empty());
  const auto release = decode_with(R"({"config": {
      "configMapRefs": [{"name": "b"}, {"name": "a"}], "secretRefs": [{"name": "a"}]}})");
  ASSERT_TRUE(release) << release.error().message;
  EXPECT_EQ(release->config.config_maps, (std::vector<std::string>{"b", "a"}));
  EXPECT_EQ(release->config.secrets, std::vector<std::string>{"a"});
}

TEST(ReleaseSpec, AnImageMayBeLaidOverAnInitContainer) {
  const auto release = decode_with(R"({
      "template": {"spec": {"initContainers": [{"name": "migrate"}]}},
      "images": [{"container": "migrate", "image": "shop:2"}]})");
  ASSERT_TRUE(release) << release.error().message;
  EXPECT_EQ(release->images[0].container, "migrate");
}

TEST(ReleaseSpec, ATargetPortIsANumberOrAName) {
  const auto release = decode_with(R"({"service": {"ports": [
      {"name": "a", "port": 80, "targetPort": 8080},
      {"name": "b", "port": 81, "targetPort": "web"}]}})");
  ASSERT_TRUE(release) << release.error().message;
  EXPECT_EQ(release->service.ports[0].target_port, "8080");
  EXPECT_EQ(release->service.ports[1].target_port, "web");
}

struct BadRelease {
  std::string patch;
  std::string message;
};

TEST(ReleaseSpec, BadInputIsRefusedWithItsPathAndWhatIsAllowed) {
  const std::vector<BadRelease> table{
      {R"({"replicas": -1})", "spec.replicas: found -1, must be a whole number from 0 to 10000"},
      {R"({"replicas": 18446744073709551615})",
       "spec.replicas: found 18446744073709551615, must be a whole number from 0 to 10000"},
      {R"({"template": null})",
       "spec.template: missing, must be given, or workloadRef in its place"},
      {R"({"template": {"spec": null}})", "spec.template.spec: missing, must be an object"},
      {R"({"template": {"metadata": "x"}})",
       "spec.template.metadata: found \"x\", must be an object"},
      {R"({"template": {"spec": {"containers": []}}})",
       "spec.template.spec.containers: found [], must be a list of 1 to 32 items"},
      {R"({"template": {"spec": {"containers": [{"image": "a"}]}}})",
       "spec.template.spec.containers[0].name: missing, must be a DNS label (lower-case letters, "
       "digits and '-', at most 63 characters)"},
      {R"({"images": [{"container": "nobody", "image": "a:1"}]})",
       "spec.images[0].container: found \"nobody\", must be the name of a container of "
       "spec.template"},
      {R"({"images": [{"container": "shop", "image": ""}]})",
       "spec.images[0].image: found \"\", must be an image without spaces, at most 512 characters"},
      {R"({"lifecycle": "None"})",
       "spec.lifecycle: found \"None\", must be one of PreStopSleep, AsGiven"},
      {R"({"service": {"ports": null}})",
       "spec.service.ports: missing, must be a list of 1 to 20 items"},
      {R"({"service": {"ports": [{"name": "a", "port": 70000}]}})",
       "spec.service.ports[0].port: found 70000, must be a whole number from 1 to 65535"},
      {R"({"service": {"ports": [{"name": "a", "port": 80, "targetPort": true}]}})",
       "spec.service.ports[0].targetPort: found true, must be a port number or a port's name (at "
       "most 15 lower-case letters, digits and single '-', with a letter)"},
      {R"({"service": {"ports": [{"name": "a", "port": 80}, {"name": "b", "port": 80}]}})",
       "spec.service.ports[1].port: found 80, must be used once per protocol"},
      {R"({"service": {"ports": [{"name": "a", "port": 80}, {"name": "a", "port": 81}]}})",
       "spec.service.ports[1].name: found \"a\", must be unique in the list"},
      {R"({"traffic": {"type": "Istio"}})",
       "spec.traffic.type: found \"Istio\", must be one of GatewayAPI, Replicas"},
      {R"({"traffic": {"type": "Replicas"}})",
       "spec.traffic.gatewayAPI: found {\"parentRefs\":[{\"name\":\"web\"}]}, must be left out "
       "unless type is GatewayAPI"},
      {R"({"traffic": {"gatewayAPI": null}})",
       "spec.traffic.gatewayAPI: missing, must be an object"},
      {R"({"traffic": {"gatewayAPI": {"hostnames": ["a.example", "A"]}}})",
       "spec.traffic.gatewayAPI.hostnames[1]: found \"A\", must be a host name, like "
       "shop.example.com or *.example.com"},
      {R"({"traffic": {"gatewayAPI": {"rules": [{}, {"backendRefs": []}]}}})",
       "spec.traffic.gatewayAPI.rules[1].backendRefs: found [], must be left out: Weir writes the "
       "backends of its route itself"},
      {R"({"strategy": {"type": "Rolling"}})",
       "spec.strategy.type: found \"Rolling\", must be Canary"},
      {R"({"strategy": {"canary": {"policyRef": null}}})",
       "spec.strategy.canary.policyRef: missing, must be an object"},
      {R"({"keepWarm": {"replicas": "12.5%"}})",
       "spec.keepWarm.replicas: found \"12.5%\", must be a percentage from \"0%\" to \"100%\" "
       "without decimals"},
  };
  for (const auto& bad : table) {
    const auto release = decode_with(bad.patch);
    ASSERT_FALSE(release) << bad.patch;
    EXPECT_EQ(release.error().kind, ErrorKind::Invalid);
    EXPECT_EQ(release.error().message, bad.message);
  }
}

TEST(ReleaseSpec, NamesLeaveRoomForTheRevision) {
  EXPECT_TRUE(decode_release_spec(minimal(), std::string(46, 'a')));
  for (const auto& name : {std::string(47, 'a'), std::string("1shop"), std::string("Shop"),
                           std::string("shop.one"), std::string("shop-"), std::string()}) {
    const auto release = decode_release_spec(minimal(), name);
    ASSERT_FALSE(release) << name;
    EXPECT_EQ(release.error().message,
              "metadata.name: found \"" + name +
                  "\", must be a name of at most 46 lower-case letters, digits and '-' that begins "
                  "with a letter");
  }
}

TEST(Release, ABadSpecIsAnErrorInsideAReadableObject) {
  Json object = Json::parse(
      R"({"metadata": {"name": "shop", "namespace": "prod", "uid": "u1", "generation": 3},
          "status": {"phase": "Healthy"}})");
  const auto without_spec = decode_release(object);
  ASSERT_TRUE(without_spec);
  EXPECT_EQ(without_spec->meta.uid, "u1");
  EXPECT_EQ(without_spec->meta.generation, 3);
  EXPECT_EQ(without_spec->status.phase, Phase::Healthy);
  ASSERT_FALSE(without_spec->spec);
  EXPECT_EQ(without_spec->spec.error().message, "spec: missing, must be an object");
  object["spec"] = minimal();
  const auto with_spec = decode_release(object);
  ASSERT_TRUE(with_spec);
  EXPECT_TRUE(with_spec->spec);
}

TEST(Release, WhatIsNoObjectIsNotReadable) {
  for (const char* text :
       {"null", "[]", "5", R"({"metadata": []})", R"({"metadata": {"name": 5}})"}) {
    const auto release = decode_release(Json::parse(text));
    ASSERT_FALSE(release) << text;
    EXPECT_EQ(release.error().kind, ErrorKind::Parse) << text;
  }
}

}  // namespace
}  // namespace weir
