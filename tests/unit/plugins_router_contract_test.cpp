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
    route.meta.annotations[std::string(marks::kTraffic)] =
        create.body["metadata"]["annotations"][std::string(marks::kTraffic)].get<std::string>();
    route.text = dump_json(Json{{"spec", create.body["spec"]}});
    return route;
  }

  Scene scene_;
  const RouteGoal goal_{{{"v1", "shop-v1", 75}, {"v2", "shop-v2", 25}}, "memo"};
};

TEST_P(RouterContract, ReadsBackWhatItPlanned) {
  const auto action = GetParam()->plan(scene_.release(), goal_, nullptr, false);
  ASSERT_TRUE(action && *action);
  const auto route = created(**action);
  const auto state = GetParam()->state(&route);
  EXPECT_TRUE(state.exists);
  EXPECT_EQ(state.backends, goal_.backends);
  EXPECT_EQ(state.memo, "memo");
  EXPECT_FALSE(state.accepted);
  EXPECT_NE(state.not_accepted, "");
}

TEST_P(RouterContract, WritesNothingWhenTheRouteSaysItAlready) {
  const auto route = created(**GetParam()->plan(scene_.release(), goal_, nullptr, false));
  const auto again = GetParam()->plan(scene_.release(), goal_, &route, false);
  ASSERT_TRUE(again);
  EXPECT_FALSE(*again);
}

TEST_P(RouterContract, GuardsAWriteOnlyWhenAsked) {
  const auto route = created(**GetParam()->plan(scene_.release(), goal_, nullptr, false));
  const RouteGoal other{{{"v1", "shop-v1", 50}, {"v2", "shop-v2", 50}}, "memo"};
  const auto version = [&](bool guarded) {
    return std::get<PatchObject>(**GetParam()->plan(scene_.release(), other, &route, guarded))
        .resource_version;
  };
  EXPECT_EQ(version(true), "60");
  EXPECT_EQ(version(false), "");
}

TEST_P(RouterContract, AChangedMemoAloneIsWritten) {
  const auto route = created(**GetParam()->plan(scene_.release(), goal_, nullptr, false));
  const auto action = GetParam()->plan(scene_.release(), {goal_.backends, "other"}, &route, false);
  ASSERT_TRUE(action && *action);
}

TEST_P(RouterContract, ASpecThatCannotBeReadDoesNotKeepAWeightUp) {
  auto route = created(**GetParam()->plan(scene_.release(), goal_, nullptr, false));
  scene_.release().spec = Error{ErrorKind::Invalid, "spec.strategy.type: found \"Future\""};
  const RouteGoal back{{{"v1", "shop-v1", 100}, {"v2", "shop-v2", 0}}, "taken back"};
  const auto action = GetParam()->plan(scene_.release(), back, &route, false);
  ASSERT_TRUE(action && *action);
  const auto& patch = std::get<PatchObject>(**action);
  route.text = dump_json(Json{{"spec", patch.body["spec"]}});
  EXPECT_EQ(GetParam()->state(&route).backends, back.backends);
  EXPECT_EQ(patch.body["metadata"]["annotations"][std::string(marks::kTraffic)], "taken back");
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
