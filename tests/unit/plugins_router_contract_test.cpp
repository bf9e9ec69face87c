// One contract for every router in the table; what is special to one stands below it.
#include <gtest/gtest.h>

#include "delivery_scene.h"
#include "kube/kinds.h"

namespace weir::test {
namespace {

class RouterContract : public ::testing::TestWithParam<const TrafficRouter*> {
 protected:
  // The route as the API server would keep it after the create.
  static RawObject created(const Action& action) {
    const auto& create = std::get<CreateObject>(action);
    RawObject route;
    route.meta = {create.key, "uid-route", "60", 1};
    put(route, create.body);
    return route;
  }

  // As the server merges it, as far as these tests look.
  static void put(RawObject& route, const Json& body) {
    const Json& meta = body["metadata"];
    for (const auto& [name, text] : meta["annotations"].items())
      route.meta.annotations[name] = text.get<std::string>();
    for (const auto& [name, text] : meta["labels"].items())
      route.meta.labels[name] = text.get<std::string>();
    Json spec = route.text.empty() ? Json::object() : (*parse_json(route.text))["spec"];
    spec.merge_patch(body["spec"]);
    route.text = dump_json(Json{{"spec", spec}});
  }

  RouteGoal goal(std::vector<Backend> backends, std::string memo) {
    return {std::move(backends), std::move(memo),
            callers_service_body(scene_.release(), *scene_.release().spec, "v1")};
  }

  Scene scene_;
  const RouteGoal goal_ = goal({{"v1", "shop-v1", 75}, {"v2", "shop-v2", 25}}, "memo");
};

TEST_P(RouterContract, ReadsBackWhatItPlanned) {
  const auto action = GetParam()->plan(scene_.release(), goal_, nullptr, false);
  ASSERT_TRUE(action && *action);
  const auto route = created(**action);
  const auto state = GetParam()->state(&route);
  EXPECT_TRUE(state.exists);
  EXPECT_EQ(state.backends, goal_.backends);
  EXPECT_EQ(state.memo, "memo");
  EXPECT_NE(state.accepted, !state.not_accepted.empty());
}

TEST_P(RouterContract, WritesNothingWhenTheRouteSaysItAlready) {
  const auto route = created(**GetParam()->plan(scene_.release(), goal_, nullptr, false));
  const auto again = GetParam()->plan(scene_.release(), goal_, &route, false);
  ASSERT_TRUE(again);
  EXPECT_FALSE(*again);
}

TEST_P(RouterContract, GuardsAWriteOnlyWhenAsked) {
  const auto route = created(**GetParam()->plan(scene_.release(), goal_, nullptr, false));
  const auto other = goal({{"v1", "shop-v1", 50}, {"v2", "shop-v2", 50}}, "memo");
  const auto version = [&](bool guarded) {
    return std::get<PatchObject>(**GetParam()->plan(scene_.release(), other, &route, guarded))
        .resource_version;
  };
  EXPECT_EQ(version(true), "60");
  EXPECT_EQ(version(false), "");
}

TEST_P(RouterContract, AChangedMemoAloneIsWritten) {
  const auto route = created(**GetParam()->plan(scene_.release(), goal_, nullptr, false));
  const auto action =
      GetParam()->plan(scene_.release(), goal(goal_.backends, "other"), &route, false);
  ASSERT_TRUE(action && *action);
}

TEST_P(RouterContract, ASpecThatCannotBeReadDoesNotKeepAWeightUp) {
  auto route = created(**GetParam()->plan(scene_.release(), goal_, nullptr, false));
  scene_.release().spec = Error{ErrorKind::Invalid, "spec.strategy.type: found \"Future\""};
  const RouteGoal back{{{"v1", "shop-v1", 100}, {"v2", "shop-v2", 0}}, "taken back"};
  const auto action = GetParam()->plan(scene_.release(), back, &route, false);
  ASSERT_TRUE(action && *action);
  const auto& patch = std::get<PatchObject>(**action);
  put(route, patch.body);
  EXPECT_EQ(GetParam()->state(&route).backends, back.backends);
  EXPECT_EQ(GetParam()->state(&route).memo, "taken back");
}

TEST_P(RouterContract, WithoutASpecAndARouteThereIsNothingToWrite) {
  scene_.release().spec = Error{ErrorKind::Invalid, "spec: found nothing"};
  EXPECT_FALSE(GetParam()->plan(scene_.release(), goal_, nullptr, false));
}

TEST_P(RouterContract, TheRouteIsOwnedByTheRelease) {
  const auto action = GetParam()->plan(scene_.release(), goal_, nullptr, false);
  const auto& body = std::get<CreateObject>(**action).body;
  EXPECT_EQ(body["metadata"]["ownerReferences"][0]["uid"], "uid-release");
  EXPECT_EQ(body["metadata"]["labels"][std::string(marks::kRelease)], "shop");
}

TEST_P(RouterContract, NoRouteIsAStateToo) { EXPECT_FALSE(GetParam()->state(nullptr).exists); }

INSTANTIATE_TEST_SUITE_P(All, RouterContract, ::testing::ValuesIn(all_plugins().routers));

// ---- Replicas ----

const TrafficRouter& by_pods() { return *all_plugins().router(TrafficType::Replicas); }

// The callers' Service for these weights of v1 and v2, as the router would make it.
RawObject shared(Scene& scene, int v1, int v2) {
  const RouteGoal goal{{{"v1", "shop-v1", v1}, {"v2", "shop-v2", v2}},
                       "memo",
                       callers_service_body(scene.release(), *scene.release().spec, "v1")};
  const auto create =
      std::get<CreateObject>(**by_pods().plan(scene.release(), goal, nullptr, false));
  RawObject service;
  service.meta = {create.key, "uid-svc", "60", 1};
  for (const auto& [name, text] : create.body["metadata"]["annotations"].items())
    service.meta.annotations[name] = text.get<std::string>();
  for (const auto& [name, text] : create.body["metadata"]["labels"].items())
    service.meta.labels[name] = text.get<std::string>();
  service.text = dump_json(Json{{"spec", create.body["spec"]}});
  return service;
}

Json selector_of(const RawObject& service) {
  return (*parse_json(service.text))["spec"]["selector"];
}

TEST(Replicas, TheSelectorNamesWhoHasEverythingOrNobody) {
  Scene scene;
  const Json release{{"weir.dev/release", "shop"}};
  const auto one = [&](const char* revision) {
    return Json{{"weir.dev/release", "shop"}, {"weir.dev/revision", revision}};
  };
  EXPECT_EQ(selector_of(shared(scene, 100, 0)), one("v1"));
  EXPECT_EQ(selector_of(shared(scene, 75, 25)), release);
  EXPECT_EQ(selector_of(shared(scene, 0, 100)), one("v2"));
}

TEST(Replicas, ARiseTakesTheRevisionOutOfTheSelectorAndARollbackPutsItBack) {
  Scene scene;
  const auto service = shared(scene, 100, 0);
  const RouteGoal rise{{{"v1", "shop-v1", 95}, {"v2", "shop-v2", 5}},
                       "memo 2",
                       callers_service_body(scene.release(), *scene.release().spec, "v1")};
  const auto up = std::get<PatchObject>(**by_pods().plan(scene.release(), rise, &service, true));
  EXPECT_TRUE(up.body["spec"]["selector"]["weir.dev/revision"].is_null());
  EXPECT_EQ(up.resource_version, "60");
  const auto was_shared = shared(scene, 95, 5);
  RouteGoal back = rise;
  back.backends[0].weight = 100;
  back.backends[1].weight = 0;
  const auto down =
      std::get<PatchObject>(**by_pods().plan(scene.release(), back, &was_shared, false));
  EXPECT_EQ(down.body["spec"]["selector"]["weir.dev/revision"], "v1");
  EXPECT_EQ(down.resource_version, "");
}

TEST(Replicas, ASelectorThatSomebodyChangedIsNotAcceptedAndPutRight) {
  Scene scene;
  auto service = shared(scene, 75, 25);
  EXPECT_TRUE(by_pods().state(&service).accepted);
  service.text = shared(scene, 100, 0).text;
  const auto state = by_pods().state(&service);
  EXPECT_FALSE(state.accepted);
  EXPECT_NE(state.not_accepted, "");
  EXPECT_EQ(state.backends[1].weight, 0) << "putting it right is a rise";
  const RouteGoal goal{{{"v1", "shop-v1", 75}, {"v2", "shop-v2", 25}},
                       "memo",
                       callers_service_body(scene.release(), *scene.release().spec, "v1")};
  EXPECT_TRUE(*by_pods().plan(scene.release(), goal, &service, false));
}

TEST(Replicas, ASelectorThatWasOpenedToAllGivesNobodyEverything) {
  Scene scene;
  auto service = shared(scene, 0, 100);
  service.text = shared(scene, 75, 25).text;
  const auto state = by_pods().state(&service);
  EXPECT_FALSE(state.accepted);
  EXPECT_EQ(state.backends[1].weight, 99) << "putting it right is a rise";
}

TEST(Replicas, WhatOthersAddToTheSelectorIsTakenAway) {
  Scene scene;
  auto service = shared(scene, 75, 25);
  Json object = *parse_json(service.text);
  object["spec"]["selector"]["app"] = "shop";
  service.text = dump_json(object);
  EXPECT_FALSE(by_pods().state(&service).accepted);
  const RouteGoal goal{{{"v1", "shop-v1", 75}, {"v2", "shop-v2", 25}},
                       "memo",
                       callers_service_body(scene.release(), *scene.release().spec, "v1")};
  const auto patch =
      std::get<PatchObject>(**by_pods().plan(scene.release(), goal, &service, false));
  EXPECT_TRUE(patch.body["spec"]["selector"]["app"].is_null());
}

TEST(Replicas, AShareIsNeverAboveItsWeightUnlessOnePodIsMore) {
  const auto pods = [](int weight, int replicas) {
    return by_pods().pods_for(weight, replicas, replicas);
  };
  EXPECT_EQ(pods(0, 4), 0);
  EXPECT_EQ(pods(5, 4), 1);
  EXPECT_EQ(pods(25, 4), 1);
  EXPECT_EQ(pods(25, 6), 2);
  EXPECT_EQ(pods(50, 4), 4);
  EXPECT_EQ(pods(90, 4), 4);
  EXPECT_EQ(pods(100, 4), 4);
  EXPECT_EQ(by_pods().pods_for(25, 2, 12), 2);
}

TEST(Replicas, AServiceWithoutWeightsOfOursTellsNothing) {
  Scene scene;
  auto service = shared(scene, 100, 0);
  service.meta.annotations.clear();
  const auto state = by_pods().state(&service);
  EXPECT_TRUE(state.exists);
  EXPECT_FALSE(state.accepted);
  EXPECT_TRUE(state.backends.empty());
}

// ---- GatewayAPI ----

RawObject route_with(const std::string& parents, std::int64_t generation = 3) {
  RawObject route;
  route.meta = {{"shop-ns", "shop"}, "uid-route", "60", generation};
  route.text = R"({"spec":{"parentRefs":[{"name":"web"}],)"
               R"("rules":[{"backendRefs":[{"name":"shop-v1","weight":100}]}]},)"
               R"("status":{"parents":)" +
               parents + "}}";
  return route;
}

std::string parent(const std::string& accepted, const std::string& resolved, int generation) {
  const auto condition = [&](const std::string& type, const std::string& status) {
    return R"({"type":")" + type + R"(","status":")" + status +
           R"(","message":"because","observedGeneration":)" + std::to_string(generation) + "}";
  };
  return R"([{"conditions":[)" + condition("Accepted", accepted) + "," +
         condition("ResolvedRefs", resolved) + "]}]";
}

RouteState gateway_state(const RawObject& route) {
  return all_plugins().router(TrafficType::GatewayApi)->state(&route);
}

TEST(GatewayApi, IsAcceptedWhenEveryParentHasTakenUpThisGeneration) {
  EXPECT_TRUE(gateway_state(route_with(parent("True", "True", 3))).accepted);
  EXPECT_FALSE(gateway_state(route_with(parent("True", "True", 2))).accepted);
  EXPECT_FALSE(gateway_state(route_with("[]")).accepted);
}

TEST(GatewayApi, SaysWhyItIsNotAccepted) {
  EXPECT_EQ(gateway_state(route_with(parent("True", "False", 3))).not_accepted,
            "ResolvedRefs is False: because");
  EXPECT_EQ(gateway_state(route_with(parent("False", "True", 3))).not_accepted,
            "Accepted is False: because");
}

TEST(GatewayApi, CarriesTheUsersParentsHostnamesAndRules) {
  Scene scene;
  scene.release().spec->traffic.gateway_api.rules_text =
      R"([{"matches":[{"path":{"type":"PathPrefix","value":"/a"}}]},)"
      R"({"matches":[{"path":{"type":"PathPrefix","value":"/b"}}]}])";
  const auto action =
      all_plugins()
          .router(TrafficType::GatewayApi)
          ->plan(scene.release(), {{{"v1", "shop-v1", 100}}, "memo"}, nullptr, false);
  const auto& spec = std::get<CreateObject>(**action).body["spec"];
  EXPECT_EQ(spec["hostnames"], Json({"shop.example.com"}));
  EXPECT_EQ(spec["parentRefs"][0]["namespace"], "gateways");
  EXPECT_EQ(spec["rules"].size(), 2U);
  EXPECT_EQ(spec["rules"][1]["matches"][0]["path"]["value"], "/b");
  EXPECT_EQ(spec["rules"][1]["backendRefs"][0]["name"], "shop-v1");
}

TEST(GatewayApi, AHostnameThatTheUserRemovedLeavesTheRoute) {
  Scene scene;
  const auto& router = *all_plugins().router(TrafficType::GatewayApi);
  const RouteGoal goal{{{"v1", "shop-v1", 100}}, "memo"};
  const auto create = std::get<CreateObject>(**router.plan(scene.release(), goal, nullptr, false));
  RawObject route = route_with("[]");
  route.text = dump_json(Json{{"spec", create.body["spec"]}});
  route.meta.annotations[std::string(marks::kTraffic)] = "memo";
  scene.release().spec->traffic.gateway_api.hostnames.clear();
  const auto action = router.plan(scene.release(), goal, &route, false);
  ASSERT_TRUE(action && *action);
  EXPECT_TRUE(std::get<PatchObject>(**action).body["spec"]["hostnames"].is_null());
}

}  // namespace
}  // namespace weir::test
