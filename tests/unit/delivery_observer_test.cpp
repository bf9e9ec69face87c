// What is read out of the caches, above all when part of the memory is lost.
#include <gtest/gtest.h>

#include "delivery/release_observer.h"
#include "delivery_scene.h"

namespace weir::test {
namespace {

class ReleaseObserverTest : public ::testing::Test {
 protected:
  ReleaseObserverTest() {
    release_ = scene_.release();
    release_.status = {};
    put_release();
    policy_.meta = {{"shop-ns", "standard"}, "uid-policy", "10", 3};
    policy_.spec = usual_policy();
    policy_.spec_text = "{}";
    caches_.policies.put(std::make_shared<CanaryPolicy>(policy_));
  }

  void put_release() { caches_.releases.put(std::make_shared<Release>(release_)); }

  std::string wanted() const { return revision_of(*resolved_template(*release_.spec)); }

  ObjectMeta child(const std::string& name, const std::string& revision) {
    ObjectMeta meta{{"shop-ns", name}, "uid-" + name, "20"};
    meta.owner_uid = "uid-release";
    meta.labels[std::string(marks::kRelease)] = "shop";
    if (!revision.empty()) meta.labels[std::string(marks::kRevision)] = revision;
    return meta;
  }

  void put_revision(const std::string& revision, int available, int ready_endpoints) {
    ReplicaSetView set;
    set.meta = child("shop-" + revision, revision);
    set.replicas = set.current = set.ready = set.available = available;
    caches_.replica_sets.put(std::make_shared<ReplicaSetView>(set));
    RawObject service{child("shop-" + revision, revision), "{}"};
    service.meta.labels[std::string(marks::kRole)] = "revision";
    caches_.services.put(std::make_shared<RawObject>(service));
    EndpointSliceView slice;
    slice.meta = child("shop-" + revision + "-abc", revision);
    slice.service = "shop-" + revision;
    slice.ready = slice.total = ready_endpoints;
    caches_.endpoint_slices.put(std::make_shared<EndpointSliceView>(slice));
  }

  void put_callers(const std::string& stable) {
    RawObject service{child("shop", ""), ""};
    service.meta.labels[std::string(marks::kRole)] = "callers";
    service.text =
        dump_json(Json{{"spec", callers_service_body(release_, *release_.spec, stable)["spec"]}});
    caches_.services.put(std::make_shared<RawObject>(service));
  }

  void put_route(const Traffic& traffic) {
    const std::vector<Backend> backends{
        {traffic.stable, "shop-" + traffic.stable, traffic.weight_of(traffic.stable)},
        {traffic.canary, "shop-" + traffic.canary, traffic.weight_of(traffic.canary)}};
    const auto plan = all_plugins()
                          .router(TrafficType::GatewayApi)
                          ->plan(release_, {backends, encode_traffic(traffic)}, nullptr, false);
    const auto& body = std::get<CreateObject>(**plan).body;
    RawObject route{child("shop", ""), dump_json(Json{{"spec", body["spec"]}})};
    route.meta.annotations[std::string(marks::kTraffic)] = encode_traffic(traffic);
    caches_.routes.put(std::make_shared<RawObject>(route));
  }

  ReleaseSnapshot observe() {
    return *ReleaseObserver(caches_, evidence_, config_, all_plugins())
                .observe({"shop-ns", "shop"});
  }

  Scene scene_;
  Release release_;
  CanaryPolicy policy_;
  ReleaseCaches caches_;
  EvidenceBook evidence_;
  ConfigBook config_;
};

TEST_F(ReleaseObserverTest, AReleaseThatIsGoneIsNothing) {
  EXPECT_FALSE(ReleaseObserver(caches_, evidence_, config_, all_plugins())
                   .observe({"shop-ns", "other"})
                   .has_value());
}

TEST_F(ReleaseObserverTest, NobodyServesBeforeTheFirstRevisionIsReady) {
  put_revision(wanted(), 0, 0);
  EXPECT_EQ(observe().traffic.stable, "");
}

TEST_F(ReleaseObserverTest, ReadyMeansAvailableAndInTheEndpointSlices) {
  put_revision("v1", 4, 2);
  EXPECT_EQ(observe().revision("v1").ready(), 2);
}

TEST_F(ReleaseObserverTest, TheRouteTellsTheTrafficEvenWhenStatusIsLost) {
  put_revision("v1", 4, 4);
  put_revision("v2", 2, 2);
  put_route(canary_at(25));
  const auto snapshot = observe();
  EXPECT_EQ(snapshot.traffic, canary_at(25));
  EXPECT_EQ(snapshot.judged, "v2");
}

TEST_F(ReleaseObserverTest, AMemoThatWasDestroyedLeavesTheHeaviestAsStable) {
  put_revision("v1", 4, 4);
  put_revision("v2", 2, 2);
  put_route(canary_at(25));
  RawObject route = *caches_.routes.find({"shop-ns", "shop"});
  route.meta.annotations.clear();
  route.meta.resource_version = "21";
  caches_.routes.put(std::make_shared<RawObject>(route));
  EXPECT_EQ(observe().traffic, stable_only("v1"));
}

TEST_F(ReleaseObserverTest, WithoutARouteStatusTellsWhoIsStableAndWhatWasTakenBack) {
  put_revision("v1", 4, 4);
  release_.status.stable = StableStatus{"v1", 4, 4};
  release_.status.last_rollback = RollbackStatus{"v2", "errors", "bad", at_second(5), {}};
  release_.meta.resource_version = "101";
  put_release();
  const auto traffic = observe().traffic;
  EXPECT_EQ(traffic.stable, "v1");
  EXPECT_EQ(traffic.rollback->revision, "v2");
}

TEST_F(ReleaseObserverTest, WithoutRouteAndStatusTheCallersServiceTells) {
  put_revision("v1", 4, 4);
  put_callers("v1");
  EXPECT_EQ(observe().traffic, stable_only("v1"));
}

TEST_F(ReleaseObserverTest, AStableWithoutAReplicaSetIsNotBelieved) {
  put_callers("v1");
  EXPECT_EQ(observe().traffic.stable, "");
}

TEST_F(ReleaseObserverTest, ObjectsOfAnotherOwnerAreNotOurs) {
  put_revision("v1", 4, 4);
  ReplicaSetView foreign = *caches_.replica_sets.find({"shop-ns", "shop-v1"});
  foreign.meta.owner_uid = "uid-of-somebody-else";
  foreign.meta.resource_version = "30";
  caches_.replica_sets.put(std::make_shared<ReplicaSetView>(foreign));
  EXPECT_EQ(observe().revision("v1").replica_set, nullptr);
}

TEST_F(ReleaseObserverTest, PodsAreThoseOfTheRevisionsOwnReplicaSet) {
  put_revision("v1", 4, 4);
  PodView pod;
  pod.meta = child("shop-v1-a", "v1");
  pod.meta.owner_uid = "uid-shop-v1";
  caches_.pods.put(std::make_shared<PodView>(pod));
  pod.meta = child("shop-v1-b", "v1");
  pod.meta.owner_uid = "uid-of-somebody-else";
  caches_.pods.put(std::make_shared<PodView>(pod));
  pod.meta = child("shop-v9-a", "v9");
  caches_.pods.put(std::make_shared<PodView>(pod));
  const auto snapshot = observe();
  ASSERT_EQ(snapshot.revision("v1").pods.size(), 1U);
  EXPECT_EQ(snapshot.revision("v1").pods[0]->meta.key.name, "shop-v1-a");
  EXPECT_EQ(snapshot.revisions.count("v9"), 0U);
}

TEST_F(ReleaseObserverTest, TheWholeReleaseIsJudgedByThePolicyItStartedWith) {
  const auto revision = wanted();
  put_revision("v1", 4, 4);
  put_revision(revision, 1, 1);
  put_route(Traffic{"v1", revision, 5, "", {}, {}});
  ReplicaSetView set = *caches_.replica_sets.find({"shop-ns", "shop-" + revision});
  set.meta.resource_version = "30";
  set.meta.annotations[std::string(marks::kPolicy)] =
      R"({"name":"standard","generation":2,"spec":{"drain":"77s","sources":[],"objectives":[]}})";
  caches_.replica_sets.put(std::make_shared<ReplicaSetView>(set));
  const auto policy = observe().policy;
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_EQ(policy->generation, 2);
  EXPECT_EQ(policy->spec.drain, seconds(77));
}

TEST_F(ReleaseObserverTest, UntilTheFirstWeightAReleaseTakesTheNewestPolicy) {
  put_revision("v1", 4, 4);
  ReplicaSetView set;
  set.meta = child("shop-" + wanted(), wanted());
  set.meta.annotations[std::string(marks::kPolicy)] =
      R"({"name":"standard","generation":2,"spec":{"drain":"77s"}})";
  caches_.replica_sets.put(std::make_shared<ReplicaSetView>(set));
  auto traffic = canary_at(0);
  traffic.canary = wanted();
  put_route(traffic);
  EXPECT_EQ(observe().policy->generation, 3);
}

TEST_F(ReleaseObserverTest, AMissingPolicyIsNamedWithTheFieldThatNamesIt) {
  caches_.policies.erase({"shop-ns", "standard"}, "11");
  const auto policy = observe().policy;
  ASSERT_FALSE(policy);
  EXPECT_NE(policy.error().message.find("spec.strategy.canary.policyRef.name: found \"standard\""),
            std::string::npos);
}

}  // namespace
}  // namespace weir::test
