// Router Replicas: where pods are the share, and a change of spec.traffic.type.
#include <gtest/gtest.h>

#include "delivery/release_observer.h"
#include "delivery_scene.h"
#include "kube/kinds.h"

namespace weir::test {
namespace {

// v1 stable with 4 pods, v2 wanted.
Scene scene_at(int weight, int pods) {
  Scene scene;
  scene.by_pods().revision("v1", 4, 4).revision("v2", pods, pods).route(canary_at(weight));
  if (weight > 0)
    scene.canary_since(at_second(100), at_second(100)).counted(0, 1000, at_second(109));
  return scene;
}

const PatchObject& service_patch(const Plan& plan) {
  for (const auto& action : plan.actions) {
    if (const auto* a = std::get_if<PatchObject>(&action); a && a->kind == kinds::kService)
      return *a;
  }
  throw std::logic_error("no patch of a Service in the plan");
}

bool scales(const Plan& plan, const std::string& revision, int replicas) {
  return std::any_of(plan.actions.begin(), plan.actions.end(), [&](const Action& action) {
    const auto* a = std::get_if<PatchObject>(&action);
    return a && a->kind == kinds::kReplicaSet && a->key.name == "shop-" + revision &&
           a->body["spec"]["replicas"] == replicas;
  });
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(ByPods, TheFirstShareIsOneWriteThatCarriesItsVersion) {
  auto scene = scene_at(0, 1);
  const auto course = scene.course(at_second(100));
  EXPECT_EQ(course.traffic.weight, 5);
  EXPECT_EQ(course.message, "v2 gets 5 % (1 of 5 pods: 20 %)");
  const auto plan = scene.plan(at_second(100));
  const auto& patch = service_patch(plan);
  EXPECT_EQ(patch.resource_version, "60");
  EXPECT_TRUE(patch.body["spec"]["selector"]["weir.dev/revision"].is_null());
}

TEST(ByPods, AHoldTellsWhatTheShareIs) {
  auto scene = scene_at(25, 1);
  EXPECT_TRUE(has(scene.course(at_second(105)).message, "holding 25 % (1 of 5 pods: 20 %) until"));
}

TEST(ByPods, ARollbackIsOneWriteBeforeAnythingElse) {
  auto scene = scene_at(50, 4);
  scene.counted(100, 200, at_second(101));
  const auto plan = scene.plan(at_second(101));
  const auto* patch = std::get_if<PatchObject>(&plan.actions.front());
  ASSERT_TRUE(patch);
  EXPECT_EQ(patch->kind, kinds::kService);
  EXPECT_EQ(patch->resource_version, "");
  EXPECT_EQ(patch->body["spec"]["selector"]["weir.dev/revision"], "v1");
  EXPECT_EQ(service_patch(plan).key.name, "shop");
}

TEST(ByPods, PodsForTheNextStepComeOnceThePresentOneIsEarned) {
  auto scene = scene_at(25, 1);
  EXPECT_EQ(scene.course(at_second(105)).pods.at("v2"), 1);
  const auto course = scene.course(at_second(111));
  EXPECT_EQ(course.pods.at("v2"), 4);
  EXPECT_EQ(course.traffic.weight, 25);
  EXPECT_TRUE(has(course.message, "1 of 4 pods ready for 50 %"));
}

TEST(ByPods, NobodySharesWhileAnOlderRevisionHasPods) {
  auto scene = scene_at(0, 1);
  scene.revision("v0", 2, 2);
  const auto course = scene.course(at_second(100));
  EXPECT_EQ(course.traffic.weight, 0);
  EXPECT_TRUE(has(course.message, "the pods of v0 go first")) << course.message;
}

TEST(ByPods, PodsOfAnOlderRevisionThatComeBackEndTheSharing) {
  auto scene = scene_at(25, 1);
  scene.revision("v0", 1, 1);
  const auto course = scene.course(at_second(105));
  EXPECT_EQ(course.traffic.weight, 0);
  EXPECT_TRUE(has(course.message, "pods of v0 would take part")) << course.message;
}

TEST(ByPods, AShareWaitsForThePodsOfStable) {
  auto scene = scene_at(0, 1);
  scene.revision("v1", 4, 3);
  const auto course = scene.course(at_second(100));
  EXPECT_EQ(course.traffic.weight, 0);
  EXPECT_TRUE(has(course.message, "3 of 4 pods of v1 ready")) << course.message;
}

TEST(ByPods, NoPodsAreAddedToAShareBesideAStableThatLacksSome) {
  auto scene = scene_at(25, 1);
  scene.release().spec->replicas = 12;
  EXPECT_EQ(scene.course(at_second(105)).pods.at("v1"), 12);
  EXPECT_EQ(scene.course(at_second(105)).pods.at("v2"), 1);
  scene.revision("v1", 12, 12);
  EXPECT_EQ(scene.course(at_second(105)).pods.at("v2"), 4);
}

TEST(ByPods, TooManyPodsOfACanaryGoBeforeTheyShare) {
  auto scene = scene_at(0, 4);
  scene.canary_since(at_second(100), {});
  EXPECT_TRUE(has(scene.course(at_second(129)).message, "v2 has more than the 1 pods"));
  EXPECT_FALSE(scales(scene.plan(at_second(129)), "v2", 1)) << "they may have served just now";
  EXPECT_TRUE(scales(scene.plan(at_second(130)), "v2", 1));
}

TEST(ByPods, ACanaryScaledByHandShrinksToItsShareAtOnce) {
  auto scene = scene_at(5, 4);
  EXPECT_TRUE(scales(scene.plan(at_second(101)), "v2", 1));
}

TEST(ByPods, AtHundredPercentTheSelectorNamesTheCanaryAndStaysThroughThePromotion) {
  auto scene = scene_at(100, 4);
  const auto plan = scene.plan(at_second(111));
  const auto& patch = service_patch(plan);
  EXPECT_EQ(patch.body["spec"]["selector"]["weir.dev/revision"], "v2");
  const auto memo = decode_traffic(
      patch.body["metadata"]["annotations"][std::string(marks::kTraffic)].get<std::string>());
  ASSERT_TRUE(memo);
  EXPECT_EQ(memo->stable, "v2");
  EXPECT_EQ(memo->previous, "v1");
}

TEST(ByPods, TheFirstRevisionHasNoOtherRouteThanItsService) {
  Scene scene;
  scene.by_pods().revision("v2", 4, 4);
  const auto plan = scene.plan(at_second(100));
  const auto& create = std::get<CreateObject>(plan.actions.front());
  EXPECT_EQ(create.kind, kinds::kService);
  EXPECT_EQ(create.key.name, "shop");
  EXPECT_FALSE(create.dry_run);
  for (const auto& action : plan.actions) {
    const auto* other = std::get_if<CreateObject>(&action);
    EXPECT_TRUE(!other || other == &create) << other->key.name;
  }
}

// ---- a change of the type ----

class TypeChange : public ::testing::Test {
 protected:
  TypeChange() {
    release_ = Scene().release();
    policy_.meta = {{"shop-ns", "standard"}, "uid-policy", "10", 3};
    policy_.spec = usual_policy();
    policy_.spec_text = "{}";
    caches_.policies.put(std::make_shared<CanaryPolicy>(policy_));
    for (const auto* revision : {"v1", "v2"}) {
      ReplicaSetView set;
      set.meta = child(std::string("shop-") + revision);
      set.meta.labels[std::string(marks::kRevision)] = revision;
      set.replicas = set.current = set.ready = set.available = 4;
      caches_.replica_sets.put(std::make_shared<ReplicaSetView>(set));
      RawObject service{set.meta,
                        dump_json(Json{{"spec", revision_service_body(release_, *release_.spec,
                                                                      revision)["spec"]}})};
      service.meta.uid = "uid-svc-" + std::string(revision);
      caches_.services.put(std::make_shared<RawObject>(service));
    }
  }

  static ObjectMeta child(const std::string& name) {
    ObjectMeta meta{{"shop-ns", name}, "uid-" + name, "20"};
    meta.owner_uid = "uid-release";
    meta.labels[std::string(marks::kRelease)] = "shop";
    return meta;
  }

  // The object that the router of this type makes for the traffic.
  RawObject made(TrafficType type, const Traffic& traffic) {
    std::vector<Backend> backends;
    for (const auto* revision : {"v1", "v2"})
      backends.push_back({revision, std::string("shop-") + revision, traffic.weight_of(revision)});
    Release of_type = release_;
    of_type.spec->traffic.type = type;
    const auto plan = all_plugins().router(type)->plan(
        of_type,
        {backends, encode_traffic(traffic), callers_service_body(release_, *release_.spec, "v1")},
        nullptr, false);
    const auto& body = std::get<CreateObject>(**plan).body;
    RawObject object{child("shop"), dump_json(Json{{"spec", body["spec"]}})};
    for (const auto& [name, text] : body["metadata"]["annotations"].items())
      object.meta.annotations[name] = text.get<std::string>();
    for (const auto& [name, text] : body["metadata"]["labels"].items())
      object.meta.labels[name] = text.get<std::string>();
    return object;
  }

  void put_callers(bool with_memo, const Traffic& traffic) {
    auto service = made(TrafficType::Replicas, traffic);
    if (!with_memo) service.meta.annotations.clear();
    caches_.services.put(std::make_shared<RawObject>(service));
  }

  ReleaseSnapshot observe(TrafficType type) {
    release_.spec->traffic.type = type;
    caches_.releases.put(std::make_shared<Release>(release_));
    auto snapshot =
        *ReleaseObserver(caches_, evidence_, config_, all_plugins()).observe({"shop-ns", "shop"});
    snapshot.wanted = snapshot.traffic.canary.empty() ? "v1" : "v2";
    return snapshot;
  }

  static Plan plan(const ReleaseSnapshot& snapshot) {
    return plan_release(snapshot, chart_course(snapshot, at_second(100)), at_second(100), nullptr);
  }

  static bool deletes_route(const Plan& plan) {
    return std::any_of(plan.actions.begin(), plan.actions.end(), [](const Action& action) {
      const auto* gone = std::get_if<DeleteObject>(&action);
      return gone && gone->kind == kinds::kHttpRoute;
    });
  }

  Release release_;
  CanaryPolicy policy_;
  ReleaseCaches caches_;
  EvidenceBook evidence_;
  ConfigBook config_;
};

TEST_F(TypeChange, AtRestTheServiceTakesTheMemoOverBeforeTheRouteGoes) {
  caches_.routes.put(std::make_shared<RawObject>(made(TrafficType::GatewayApi, stable_only("v1"))));
  put_callers(false, stable_only("v1"));
  auto snapshot = observe(TrafficType::Replicas);
  EXPECT_EQ(snapshot.router->type(), TrafficType::Replicas);
  EXPECT_EQ(snapshot.traffic, stable_only("v1"));
  const auto first = plan(snapshot);
  EXPECT_FALSE(deletes_route(first));
  EXPECT_EQ(service_patch(first).body["metadata"]["annotations"][std::string(marks::kTraffic)],
            encode_traffic(stable_only("v1")));
  auto told = made(TrafficType::Replicas, stable_only("v1"));
  told.meta.resource_version = "21";
  caches_.services.put(std::make_shared<RawObject>(told));
  EXPECT_TRUE(deletes_route(plan(observe(TrafficType::Replicas))));
}

TEST_F(TypeChange, BackToAGatewayTheServiceForgetsItsMemoOnceTheRouteHasIt) {
  put_callers(true, stable_only("v1"));
  auto snapshot = observe(TrafficType::GatewayApi);
  EXPECT_EQ(snapshot.traffic, stable_only("v1"));
  const auto first = plan(snapshot);
  const auto* create = std::get_if<CreateObject>(&first.actions.front());
  ASSERT_TRUE(create);
  EXPECT_EQ(create->kind, kinds::kHttpRoute);
  EXPECT_THROW(service_patch(first), std::logic_error);
  caches_.routes.put(std::make_shared<RawObject>(made(TrafficType::GatewayApi, stable_only("v1"))));
  const auto second = plan(observe(TrafficType::GatewayApi));
  const auto& forgotten = service_patch(second).body["metadata"]["annotations"];
  EXPECT_TRUE(forgotten[std::string(marks::kTraffic)].is_null());
}

TEST_F(TypeChange, AReleaseUnderWayKeepsItsRouterAndSaysSo) {
  caches_.routes.put(std::make_shared<RawObject>(made(TrafficType::GatewayApi, canary_at(25))));
  put_callers(false, stable_only("v1"));
  const auto snapshot = observe(TrafficType::Replicas);
  EXPECT_EQ(snapshot.router->type(), TrafficType::GatewayApi);
  const auto course = chart_course(snapshot, at_second(100));
  EXPECT_TRUE(course.stalled);
  EXPECT_EQ(course.stalled_reason, "TrafficTypeChanged");
  EXPECT_TRUE(has(course.message, "spec.traffic.type: must not change while v2 is under way"));
  EXPECT_EQ(course.traffic, canary_at(25));
}

TEST_F(TypeChange, ABreachStillTakesAHeldReleaseBack) {
  caches_.routes.put(std::make_shared<RawObject>(made(TrafficType::GatewayApi, canary_at(25))));
  put_callers(false, stable_only("v1"));
  release_.spec->traffic.gateway_api = {};  // the new spec has no settings of the old router
  auto snapshot = observe(TrafficType::Replicas);
  auto& errors = snapshot.evidence["errors"] = counted_at_once(100, 200);
  errors.sampled = at_second(99);
  const auto taken_back = plan(snapshot);
  const auto* patch = std::get_if<PatchObject>(&taken_back.actions.front());
  ASSERT_TRUE(patch);
  EXPECT_EQ(patch->kind, kinds::kHttpRoute);
  EXPECT_EQ(patch->body["spec"]["rules"][0]["backendRefs"][1]["weight"], 0);
}

TEST_F(TypeChange, ASpecThatCannotBeReadLeavesTheServiceTheRoute) {
  put_callers(true, canary_at(25));
  release_.spec = Error{ErrorKind::Invalid, "spec.strategy.type: found \"Future\""};
  caches_.releases.put(std::make_shared<Release>(release_));
  const auto snapshot =
      *ReleaseObserver(caches_, evidence_, config_, all_plugins()).observe({"shop-ns", "shop"});
  EXPECT_EQ(snapshot.router->type(), TrafficType::Replicas);
  EXPECT_EQ(snapshot.traffic, canary_at(25));
}

}  // namespace
}  // namespace weir::test
