// Which pods take a revision back, which only hold it, and which do neither.
#include <gtest/gtest.h>

#include "delivery/pod_failure.h"
#include "delivery_scene.h"

namespace weir::test {
namespace {

using Kind = ContainerTrouble::Kind;

class PodFailureTest : public ::testing::Test {
 protected:
  PodRuling judge(const std::vector<PodView>& pods) {
    for (const auto& pod : pods) view_.pods.push_back(std::make_shared<PodView>(pod));
    return judge_pods(rules_, view_, at_second(1000));
  }

  static PodView ready_pod() {
    PodView pod;
    pod.meta.key = {"shop-ns", "shop-v2-1"};
    pod.ready = pod.containers_ready = true;
    return pod;
  }

  static PodView failing_pod(Kind kind, const std::string& reason, double since) {
    auto pod = ready_pod();
    pod.ready = pod.containers_ready = false;
    pod.containers_unready_since = at_second(since);
    pod.trouble = ContainerTrouble{kind, "web", reason, "", 0, 0, "", {}, {}};
    return pod;
  }

  static PodView crashing_pod() {
    auto pod = failing_pod(Kind::CrashLoop, "CrashLoopBackOff", 999);
    pod.trouble->restarts = 3;
    pod.trouble->exit_code = 137;
    pod.trouble->exit_reason = "OOMKilled";
    pod.trouble->ended = at_second(998);
    return pod;
  }

  PodFailureRules rules_;
  RevisionView view_;
};

TEST_F(PodFailureTest, NoPodsAndReadyPodsMeanNothing) {
  EXPECT_FALSE(judge({}).failure);
  const auto ruling = judge({ready_pod(), ready_pod()});
  EXPECT_FALSE(ruling.failure);
  EXPECT_EQ(ruling.holding, "");
  EXPECT_FALSE(ruling.look_again);
}

TEST_F(PodFailureTest, ACrashLoopIsAFailureAtOnce) {
  const auto ruling = judge({ready_pod(), crashing_pod()});
  ASSERT_TRUE(ruling.failure);
  EXPECT_EQ(ruling.failure->reason, "CrashLoop");
  EXPECT_EQ(ruling.failure->message,
            "container web of pod shop-v2-1 crashes again and again: exit code 137 (OOMKilled), 3 "
            "restarts");
  EXPECT_EQ(ruling.failure->since, at_second(998));
}

TEST_F(PodFailureTest, BetweenTwoCrashesItIsOneTooUntilItHasRunLongEnough) {
  auto pod = crashing_pod();
  pod.ready = pod.containers_ready = true;
  pod.trouble->running_since = at_second(999);
  EXPECT_TRUE(judge({pod}).failure);
  view_.pods.clear();
  pod.trouble->running_since = at_second(400);
  EXPECT_FALSE(judge({pod}).failure);
}

TEST_F(PodFailureTest, ACrashLoopOnlyHoldsWhereTheRulesSaySo) {
  rules_.crash_loop = OnPodFailure::Hold;
  rules_.not_ready_for = seconds(1);
  const auto ruling = judge({crashing_pod()});
  EXPECT_FALSE(ruling.failure);
  EXPECT_NE(ruling.holding.find("crashes again and again"), std::string::npos);
}

TEST_F(PodFailureTest, AnImageIsTriedForHalfAMinute) {
  auto pod = failing_pod(Kind::ImagePull, "ErrImagePull", 971);
  pod.trouble->message = "not found";
  auto ruling = judge({pod});
  EXPECT_FALSE(ruling.failure);
  EXPECT_EQ(ruling.holding, "container web of pod shop-v2-1 has no image: ErrImagePull: not found");
  EXPECT_EQ(ruling.look_again, at_second(1001));

  view_.pods.clear();
  pod.containers_unready_since = at_second(970);
  ruling = judge({pod});
  ASSERT_TRUE(ruling.failure);
  EXPECT_EQ(ruling.failure->reason, "ImagePull");
}

TEST_F(PodFailureTest, ANameThatIsNoneIsNotTriedAgain) {
  EXPECT_TRUE(judge({failing_pod(Kind::ImagePull, "InvalidImageName", 999.5)}).failure);
  view_.pods.clear();
  EXPECT_TRUE(judge({failing_pod(Kind::ImagePull, "ErrImageNeverPull", 999.5)}).failure);
}

TEST_F(PodFailureTest, AMissingImageOnlyHoldsWhereTheRulesSaySo) {
  rules_.image_pull = OnPodFailure::Hold;
  rules_.not_ready_for = seconds(1);
  const auto ruling = judge({failing_pod(Kind::ImagePull, "ImagePullBackOff", 100)});
  EXPECT_FALSE(ruling.failure);
  EXPECT_NE(ruling.holding, "");
}

TEST_F(PodFailureTest, NotReadyIsAFailureWhenItHasLastedAsLongAsTheRulesBearIt) {
  rules_.not_ready_for = seconds(60);
  auto ruling = judge({failing_pod(Kind::NotReady, "", 941)});
  EXPECT_FALSE(ruling.failure);
  EXPECT_EQ(ruling.holding, "") << "a pod that starts is nothing to speak of";
  EXPECT_EQ(ruling.look_again, at_second(1001));

  view_.pods.clear();
  ruling = judge({failing_pod(Kind::NotReady, "", 940)});
  ASSERT_TRUE(ruling.failure);
  EXPECT_EQ(ruling.failure->reason, "NotReady");
  EXPECT_EQ(ruling.failure->message, "container web of pod shop-v2-1 is not ready for 1m");
}

TEST_F(PodFailureTest, AContainerThatCannotBeMadeIsToldWhileItIsWaitedFor) {
  auto pod = failing_pod(Kind::NotReady, "CreateContainerConfigError", 990);
  pod.trouble->message = "configmap \"shop\" not found";
  const auto ruling = judge({pod});
  EXPECT_FALSE(ruling.failure);
  EXPECT_NE(ruling.holding.find("CreateContainerConfigError: configmap"), std::string::npos);
}

TEST_F(PodFailureTest, WhatTheKubeletHasNotSpokenOfIsNotCounted) {
  auto pod = failing_pod(Kind::NotReady, "", 0);
  pod.containers_unready_since.reset();
  EXPECT_FALSE(judge({pod}).failure);
}

// A pods' watch that hangs shows for ever what was true when it last spoke.
TEST_F(PodFailureTest, WhatTheReplicaSetDeniesIsNotBelieved) {
  auto set = std::make_shared<ReplicaSetView>();
  set->replicas = set->current = set->ready = 1;
  view_.replica_set = set;
  rules_.not_ready_for = seconds(1);
  EXPECT_FALSE(judge({failing_pod(Kind::NotReady, "", 100)}).failure);
  view_.pods.clear();
  EXPECT_FALSE(judge({failing_pod(Kind::ImagePull, "ErrImagePull", 100)}).failure);
  set->ready = 0;
  EXPECT_TRUE(judge({}).failure);
}

TEST_F(PodFailureTest, PodsThatGoOrAreOverAreNobodys) {
  auto deleting = crashing_pod();
  deleting.meta.deleting = true;
  auto evicted = crashing_pod();
  evicted.finished = true;
  evicted.disruption = "TerminationByKubelet";
  const auto ruling = judge({deleting, evicted});
  EXPECT_FALSE(ruling.failure);
  EXPECT_EQ(ruling.holding, "");
}

struct Blameless {
  const char* what;
  void (*happen)(PodView&);
  const char* said;
};

TEST_F(PodFailureTest, WhatTheInfrastructureDoesHoldsAndNeverTakesBack) {
  const Blameless table[] = {
      {"an eviction", [](PodView& pod) { pod.disruption = "EvictionByEvictionAPI"; },
       "pod shop-v2-1 is being taken away (EvictionByEvictionAPI)"},
      {"no node", [](PodView& pod) { pod.unschedulable = "0/3 nodes are available"; },
       "pod shop-v2-1 cannot be scheduled: 0/3 nodes are available"},
      {"a node without heartbeats", [](PodView& pod) { pod.containers_ready = true; },
       "pod shop-v2-1 is not ready though its containers are"},
      {"a readiness gate",
       [](PodView& pod) {
         pod.containers_ready = true;
         pod.not_ready = "ReadinessGatesNotReady";
       },
       "pod shop-v2-1 is not ready though its containers are (ReadinessGatesNotReady)"},
  };
  rules_.not_ready_for = seconds(1);
  for (const auto& row : table) {
    view_.pods.clear();
    auto pod = crashing_pod();
    row.happen(pod);
    const auto ruling = judge({pod});
    EXPECT_FALSE(ruling.failure) << row.what;
    EXPECT_EQ(ruling.holding, row.said) << row.what;
  }
}

TEST_F(PodFailureTest, AFailureOutweighsWhatTheInfrastructureDoesToOthers) {
  auto evicted = ready_pod();
  evicted.disruption = "EvictionByEvictionAPI";
  EXPECT_TRUE(judge({evicted, crashing_pod()}).failure);
}

// ---- in a release ----

Scene& crashes(Scene& scene, const std::string& revision) {
  PodView pod;
  pod.meta.key = {"shop-ns", "shop-" + revision + "-1"};
  pod.trouble =
      ContainerTrouble{Kind::CrashLoop, "web", "CrashLoopBackOff", "", 2, 1, "Error", {}, {}};
  scene.snapshot().revisions[revision].pods = {std::make_shared<PodView>(pod)};
  return scene;
}

Scene& is_evicted(Scene& scene, const std::string& revision) {
  PodView pod;
  pod.meta.key = {"shop-ns", "shop-" + revision + "-1"};
  pod.ready = pod.containers_ready = true;
  pod.disruption = "EvictionByEvictionAPI";
  scene.snapshot().revisions[revision].pods = {std::make_shared<PodView>(pod)};
  return scene;
}

TEST(PodsOfARelease, ACanaryThatCrashesLosesItsTrafficAtOnceInAnyHoldAndWarmUp) {
  Scene scene;
  scene.policy().judge.warmup = seconds(600);
  scene.revision("v1", 4, 0).revision("v2", 1, 0).route(canary_at(5), false);
  crashes(scene, "v2");
  const auto course = scene.course(at_second(100));
  EXPECT_EQ(course.traffic.weight_of("v2"), 0);
  EXPECT_EQ(course.traffic.stable, "v1");
  EXPECT_EQ(course.phase, Phase::RollingBack);
  ASSERT_TRUE(course.traffic.rollback);
  EXPECT_EQ(course.traffic.rollback->revision, "v2");
  EXPECT_EQ(course.traffic.rollback->reason, "CrashLoop");
  EXPECT_NE(course.message.find("pod shop-v2-1"), std::string::npos);
}

TEST(PodsOfARelease, ACanaryWithoutWeightIsTakenBackTooItCanNeverGoOn) {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 1, 0).route(canary_at(0));
  crashes(scene, "v2");
  EXPECT_EQ(scene.course(at_second(100)).traffic.rollback->revision, "v2");
}

TEST(PodsOfARelease, TheRouteIsWrittenFirstAndStatusTellsTheReason) {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 1, 0).route(canary_at(5));
  crashes(scene, "v2");
  const auto plan = scene.plan(at_second(100));
  const auto* route = std::get_if<PatchObject>(&plan.actions.at(0));
  ASSERT_TRUE(route);
  EXPECT_EQ(route->resource_version, "");
  const auto status =
      render_status(scene.snapshot(), scene.course(at_second(100)), at_second(100), nullptr);
  EXPECT_EQ(status.last_rollback->reason, "CrashLoop");
  EXPECT_EQ(status.last_rollback->at, at_second(100));
}

TEST(PodsOfARelease, PodsOfStableThatCrashDoNothingToTheCanary) {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 1, 1).route(canary_at(5));
  scene.canary_since(at_second(100), at_second(100)).counted(0, 1000, at_second(109));
  crashes(scene, "v1");
  EXPECT_EQ(scene.course(at_second(110)).traffic.weight, 25);
}

// Seeds 4157, 8770: there will never be all of its pods to have a share beside.
TEST(PodsOfARelease, WhereTheyAreTheShareNobodyWaitsForPodsOfStableThatCrash) {
  Scene scene;
  scene.by_pods().revision("v1", 4, 0).revision("v2", 1, 1).route(canary_at(5));
  scene.canary_since(at_second(100), at_second(100)).counted(0, 1000, at_second(109));
  EXPECT_EQ(scene.course(at_second(110)).traffic.weight, 5);
  crashes(scene, "v1");
  EXPECT_EQ(scene.course(at_second(110)).traffic.weight, 25);
  scene.policy().pod_failure.crash_loop = OnPodFailure::Hold;
  EXPECT_EQ(scene.course(at_second(110)).traffic.weight, 5);
}

TEST(PodsOfARelease, TheInfrastructureHoldsTheWeight) {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 1, 1).route(canary_at(5));
  scene.canary_since(at_second(100), at_second(100)).counted(0, 1000, at_second(109));
  is_evicted(scene, "v2");
  auto course = scene.course(at_second(110));
  EXPECT_EQ(course.traffic, canary_at(5));
  EXPECT_NE(course.message.find("is being taken away"), std::string::npos);

  scene.route(canary_at(0));
  course = scene.course(at_second(110));
  EXPECT_EQ(course.traffic, canary_at(0));
  EXPECT_NE(course.message.find("is being taken away"), std::string::npos);
}

TEST(PodsOfARelease, HeldOnlyACanaryWithoutEndpointsStillGivesItsWeightBack) {
  Scene scene;
  scene.policy().pod_failure.crash_loop = OnPodFailure::Hold;
  scene.revision("v1", 4, 4).revision("v2", 1, 0).route(canary_at(5));
  scene.canary_since(at_second(100), {});
  crashes(scene, "v2");
  const auto course = scene.course(at_second(110));
  EXPECT_EQ(course.traffic, canary_at(0));
  EXPECT_FALSE(course.traffic.rollback);
}

TEST(PodsOfARelease, WhileItIsWatchedANewStableGoesBackToThePreviousOne) {
  Scene scene;
  const Traffic promoted{"v2", "", 0, "v1", at_second(100), {}};
  scene.wants("v2").revision("v1", 4, 4).revision("v2", 4, 3).route(promoted);
  crashes(scene, "v2");
  const auto course = scene.course(at_second(120));
  EXPECT_EQ(course.traffic.stable, "v1");
  EXPECT_EQ(course.traffic.rollback->revision, "v2");

  const auto later = scene.course(at_second(161));
  EXPECT_EQ(later.traffic.stable, "v2");
  EXPECT_EQ(later.phase, Phase::Degraded);
  EXPECT_NE(later.message.find("crashes again and again"), std::string::npos);
}

TEST(PodsOfARelease, TheOnlyRevisionIsNeverTakenBack) {
  Scene scene;
  scene.revision("v2", 4, 0);
  crashes(scene, "v2");
  const auto course = scene.course(at_second(100));
  EXPECT_FALSE(course.traffic.rollback);
  EXPECT_EQ(course.phase, Phase::Pending);
  EXPECT_NE(course.message.find("0 of 4 pods ready; container web"), std::string::npos);
}

TEST(PodsOfARelease, ABrokenSpecDoesNotKeepACrashFromRollingBack) {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 1, 0).route(canary_at(5));
  crashes(scene, "v2");
  scene.snapshot().pod_template = Error{ErrorKind::Invalid, "spec.images[0].container: found"};
  EXPECT_EQ(scene.course(at_second(100)).traffic.weight_of("v2"), 0);
}

TEST(PodsOfARelease, ABrokenSpecTakesNobodyBackWhenTheWatchIsOver) {
  Scene scene;
  const Traffic promoted{"v2", "", 0, "v1", at_second(100), {}};
  scene.revision("v2", 4, 3).route(promoted);
  crashes(scene, "v2");
  scene.snapshot().pod_template = Error{ErrorKind::Invalid, "spec.images[0].container: found"};
  EXPECT_EQ(scene.course(at_second(161)).traffic.stable, "v2");
}

}  // namespace
}  // namespace weir::test
