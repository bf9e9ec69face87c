// What `kubectl weir adopt` makes of the live objects.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/object_check.h"
#include "cli/adoption_files.h"
#include "unit/cli_test_support.h"

namespace weir::cli_test {
namespace {

Json json(const std::string& text) { return *parse_json(text); }

LiveObjects shop() {
  LiveObjects live;
  live.deployment = json(R"({"metadata":{"name":"shop","namespace":"production"},
      "spec":{"replicas":4,"template":{"metadata":{"labels":{"app":"shop","tier":"web"}},
      "spec":{"containers":[{"name":"web","ports":[{"containerPort":8080}]}]}}}})");
  live.services = {json(R"({"metadata":{"name":"cart"},"spec":{"selector":{"app":"cart"}}})"),
                   json(R"({"metadata":{"name":"shop"},"spec":{"selector":{"app":"shop"},
          "ports":[{"port":80,"targetPort":"http","protocol":"TCP"}]}})")};
  live.routes = {json(R"({"metadata":{"name":"web"},"spec":{"hostnames":["shop.example.com"],
      "parentRefs":[{"name":"web","namespace":"gateways"}],
      "rules":[{"backendRefs":[{"name":"shop","port":80}]}]}})")};
  return live;
}

TEST(Adopt, TheReleaseIsMadeOfWhatIsThere) {
  const auto files = adoption_files(shop(), {});
  ASSERT_TRUE(files) << files.error().message;
  EXPECT_EQ(files->release, json(R"({"apiVersion":"weir.dev/v1alpha1","kind":"Release",
      "metadata":{"name":"shop","namespace":"production"},
      "spec":{"replicas":4,"workloadRef":{"kind":"Deployment","name":"shop"},
      "service":{"name":"shop","ports":[{"name":"port-80","port":80,"targetPort":"http"}]},
      "traffic":{"type":"GatewayAPI","gatewayAPI":{"hostnames":["shop.example.com"],
          "parentRefs":[{"name":"web","namespace":"gateways"}]}},
      "strategy":{"type":"Canary","canary":{"policyRef":{"name":"standard"}}}}})"));
  EXPECT_TRUE(check_object(files->release).empty());
  EXPECT_TRUE(check_object(files->policy).empty());
}

TEST(Adopt, ANamedPolicyIsNotWritten) {
  const auto files = adoption_files(shop(), {"", "careful", ""});
  ASSERT_TRUE(files);
  EXPECT_TRUE(files->policy.is_null());
  EXPECT_EQ(files->release["spec"]["strategy"]["canary"]["policyRef"]["name"], "careful");
}

TEST(Adopt, WhatItCannotDecideIsAsked) {
  auto two = shop();
  two.services.push_back(json(R"({"metadata":{"name":"web"},"spec":{"selector":{"tier":"web"},
      "ports":[{"port":80}]}})"));
  EXPECT_EQ(adoption_files(two, {}).error().message,
            "the Services shop, web select its pods: say which of them callers use, with "
            "--service");
  const auto chosen = adoption_files(two, {"web", "p", "gateways/web"});
  ASSERT_TRUE(chosen);
  EXPECT_EQ(chosen->release["spec"]["service"]["name"], "web");
  EXPECT_EQ(chosen->notes.front(),
            "Service shop will go on selecting the pods of all revisions, also of one that is "
            "being released");
  EXPECT_EQ(adoption_files(two, {"cart", "", ""}).error().message,
            "--service: found \"cart\", must be a Service that selects the pods of Deployment "
            "shop");
  auto unrouted = shop();
  unrouted.routes.clear();
  EXPECT_EQ(adoption_files(unrouted, {}).error().message,
            "no HTTPRoute leads to Service shop: name the Gateway whose traffic is to be shared "
            "out, with --gateway");
}

TEST(Adopt, WithoutAServiceThePortsAreTheContainers) {
  auto live = shop();
  live.services.clear();
  const auto files = adoption_files(live, {"", "p", "web"});
  ASSERT_TRUE(files);
  EXPECT_EQ(files->release["spec"]["service"],
            json(R"({"name":"shop","ports":[{"name":"port-8080","port":8080}]})"));
}

TEST(Adopt, AnAutoscalerIsToldWhomToScale) {
  auto live = shop();
  live.autoscalers = {json(R"({"metadata":{"name":"hpa"},"spec":{"scaleTargetRef":
      {"kind":"Deployment","name":"shop"}}})")};
  const auto files = adoption_files(live, {});
  ASSERT_TRUE(files);
  EXPECT_NE(files->notes[2].find("HorizontalPodAutoscaler hpa must scale the Release"),
            std::string::npos)
      << files->notes[2];
}

TEST(Adopt, NothingButADeploymentCanBeAdopted) {
  const auto ran = run({"adopt", "statefulset/shop"});
  EXPECT_EQ(ran.code, exit_code::kUsage);
  EXPECT_NE(ran.err.find("must be deployment/NAME"), std::string::npos) << ran.err;
}

}  // namespace
}  // namespace weir::cli_test
