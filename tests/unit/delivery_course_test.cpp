// What a Release does next, one sentence a case.
#include <gtest/gtest.h>

#include "delivery_scene.h"

namespace weir::test {
namespace {

// ---- the first revision ----

TEST(FirstRevision, WaitsForAllItsPods) {
  Scene scene;
  scene.revision("v2", 4, 3);
  const auto course = scene.course(at_second(100));
  EXPECT_EQ(course.traffic.stable, "");
  EXPECT_EQ(course.pods.at("v2"), 4);
  EXPECT_EQ(course.phase, Phase::Pending);
}

TEST(FirstRevision, ServesEverythingWhenReady) {
  Scene scene;
  scene.revision("v2", 4, 4);
  EXPECT_EQ(scene.course(at_second(100)).traffic, stable_only("v2"));
}

TEST(FirstRevision, DoesNotStartWithoutAPolicy) {
  Scene scene;
  scene.snapshot().policy = Error{ErrorKind::NotFound, "spec.strategy.canary.policyRef.name: …"};
  const auto course = scene.course(at_second(100));
  EXPECT_TRUE(course.stalled);
  EXPECT_TRUE(course.pods.empty());
  EXPECT_NE(course.message.find("policyRef.name"), std::string::npos);
}

// ---- the steps ----

TEST(Steps, ANewRevisionBeginsAtWeightZero) {
  Scene scene;
  scene.revision("v1", 4, 4).route(stable_only("v1"));
  const auto course = scene.course(at_second(100));
  EXPECT_EQ(course.traffic, canary_at(0));
  EXPECT_EQ(course.pods.at("v1"), 4);
  EXPECT_EQ(course.pods.at("v2"), 1);
}

TEST(Steps, TheFirstWeightWaitsForItsPods) {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 1, 0).route(canary_at(0));
  EXPECT_EQ(scene.course(at_second(100)).traffic.weight, 0);
  scene.revision("v2", 1, 1);
  EXPECT_EQ(scene.course(at_second(100)).traffic.weight, 5);
}

TEST(Steps, TheHoldBeginsWhenTheWeightIsAcceptedNotWhenItIsWritten) {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 1, 1).route(canary_at(5), false);
  scene.canary_since({}, {}).counted(0, 1000, at_second(99));
  auto course = scene.course(at_second(100));
  EXPECT_EQ(course.traffic.weight, 5);
  EXPECT_FALSE(course.canary->accepted);
  EXPECT_NE(course.message.find("accept"), std::string::npos);

  scene.snapshot().route_state.accepted = true;
  course = scene.course(at_second(120));
  EXPECT_EQ(course.canary->accepted, at_second(120));
  EXPECT_EQ(course.canary->since, at_second(120));
  EXPECT_EQ(course.look_again, at_second(130));
}

TEST(Steps, ARiseIsToldWhenTheGatewayHasAnsweredOrIsSlow) {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 1, 1).route(canary_at(5));
  scene.canary_since(at_second(100), at_second(100)).counted(0, 1000, at_second(109));
  auto course = scene.course(at_second(110));
  EXPECT_EQ(course.traffic.raised, at_second(110));
  EXPECT_TRUE(course.settling);
  EXPECT_EQ(course.look_again, at_second(112));

  auto traffic = course.traffic;
  EXPECT_TRUE(scene.route(traffic, false).course(at_second(111)).settling);
  EXPECT_FALSE(scene.course(at_second(112)).settling);
  // A clock that went back does not silence it.
  EXPECT_FALSE(scene.course(at_second(109)).settling);
  EXPECT_FALSE(scene.route(traffic).course(at_second(111)).settling);
}

TEST(Steps, AnEarlierStayAtTheSameWeightDoesNotCount) {
  Scene scene;
  auto traffic = canary_at(5);
  traffic.raised = at_second(105);
  scene.revision("v1", 4, 4).revision("v2", 1, 1).route(traffic);
  scene.canary_since(at_second(100), at_second(100)).counted(0, 1000, at_second(109));
  const auto course = scene.course(at_second(110));
  EXPECT_EQ(course.canary->since, at_second(110));
  EXPECT_EQ(course.traffic.weight, 5);
}

TEST(StableGone, TheSpecsRevisionTakesEverythingWhenItCan) {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 1, 1).route(canary_at(25));
  auto& stable = scene.snapshot().revisions["v1"];
  stable.replica_set = nullptr;
  // Its pods still serve: it may only be out of sight.
  EXPECT_EQ(scene.course(at_second(105)).phase, Phase::Progressing);

  stable.ready_endpoints = 0;
  auto course = scene.course(at_second(105));
  EXPECT_EQ(course.phase, Phase::Degraded);
  EXPECT_NE(course.message.find("stable v1 is gone"), std::string::npos);
  EXPECT_EQ(course.pods.at("v2"), 4);
  EXPECT_EQ(course.traffic.weight, 25);

  course = scene.revision("v2", 4, 4).course(at_second(106));
  EXPECT_EQ(course.traffic, stable_only("v2"));
}

TEST(StableGone, ACanaryKeepsItsShareUntilANewerOneIsReady) {
  Scene scene;
  scene.revision("v2", 2, 2).revision("v3", 1, 1).route(canary_at(50)).wants("v3");
  auto course = scene.course(at_second(101));
  EXPECT_EQ(course.traffic.weight_of("v2"), 50);
  EXPECT_EQ(course.pods.at("v2"), 2);
  EXPECT_EQ(scene.revision("v3", 4, 4).course(at_second(102)).traffic, stable_only("v3"));
}

TEST(Steps, AHeldAndJudgedWeightScalesForTheNextAndThenTakesIt) {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 1, 1).route(canary_at(25));
  scene.canary_since(at_second(100), at_second(100)).counted(0, 1000, at_second(109));
  EXPECT_EQ(scene.course(at_second(109)).pods.at("v2"), 1);
  auto course = scene.course(at_second(110));
  EXPECT_EQ(course.pods.at("v2"), 2);
  EXPECT_EQ(course.traffic.weight, 25);

  scene.revision("v2", 2, 2);
  EXPECT_EQ(scene.course(at_second(110)).traffic.weight, 50);
}

TEST(Steps, TheHoldBeginsAgainWhenPodsWereNotReady) {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 2, 1).route(canary_at(50));
  scene.canary_since(at_second(100), at_second(100)).counted(0, 1000, at_second(109));
  auto course = scene.course(at_second(120));
  EXPECT_EQ(course.traffic.weight, 50);
  EXPECT_FALSE(course.canary->since);
  EXPECT_EQ(course.canary->accepted, at_second(100));

  scene.revision("v2", 2, 2).canary_since(at_second(100), {});
  course = scene.course(at_second(121));
  EXPECT_EQ(course.canary->since, at_second(121));
  EXPECT_EQ(course.traffic.weight, 50);
}

TEST(Steps, ABreakThatNobodySawStartsTheHoldAgainToo) {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 2, 2).route(canary_at(50));
  scene.canary_since(at_second(100), at_second(100)).counted(0, 1000, at_second(109));
  for (const double since : {90.0, 105.0}) {
    PodView pod;
    pod.ready = true;
    pod.ready_since = at_second(since);
    scene.snapshot().revisions["v2"].pods.push_back(std::make_shared<PodView>(pod));
  }
  const auto course = scene.course(at_second(111));
  EXPECT_EQ(course.canary->since, at_second(105));
  EXPECT_EQ(course.traffic.weight, 50);
  EXPECT_EQ(course.look_again, at_second(115));
}

TEST(Steps, WeightsThatSomebodyElseChangedAreNotEarned) {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 1, 1).route(canary_at(5));
  scene.canary_since(at_second(100), at_second(100)).counted(0, 1000, at_second(109));
  for (auto& backend : scene.snapshot().route_state.backends) backend.weight = 50;
  const auto course = scene.course(at_second(200));
  EXPECT_EQ(course.traffic.weight, 5);
  EXPECT_FALSE(course.canary->since);
}

// Seed 3341: the status that tells of the break was not written, and the next pass saw the route as it should be.
TEST(Steps, TheWriteThatPutsWeightsBackTellsThatTheHoldBeginsAgain) {
  for (const bool by_pods : {false, true}) {
    Scene scene;
    scene.revision("v1", 4, 4).revision("v2", 1, 1);
    if (by_pods) scene.by_pods();
    scene.route(canary_at(5));
    scene.canary_since(at_second(100), at_second(100)).counted(0, 1000, at_second(109));
    auto& backends = scene.snapshot().route_state.backends;
    for (auto& backend : backends) backend.weight = backend.revision == "v1" ? 100 : 0;
    const auto broken = scene.course(at_second(200));
    EXPECT_EQ(broken.traffic.raised, at_second(200));
    scene.route(broken.traffic);
    const auto mended = scene.course(at_second(201));
    EXPECT_EQ(mended.traffic.weight, 5);
    EXPECT_EQ(mended.canary->since, at_second(201));
  }
}

// Enough for 5 % and an early end.
Scene& shown_to_be_good(Scene& scene) {
  scene.policy().judge.advance = Advance::Early;
  auto objective = *scene.policy().objectives[0].ratio;
  objective.may_end_early = true;
  ObjectiveEvidence evidence;
  evidence.judged_from = at_second(100);
  evidence.sampled = at_second(104);
  (void)count(evidence, objective, {{0, 2000}, std::nullopt, 0});
  scene.snapshot().evidence["errors"] = evidence;
  return scene;
}

TEST(Steps, AHoldEndsEarlyWhenThisWeightAloneHasShownEnough) {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 1, 1).route(canary_at(5));
  scene.canary_since(at_second(100), at_second(100));
  EXPECT_EQ(shown_to_be_good(scene).course(at_second(104)).traffic.weight, 25);
  scene.policy().judge.advance = Advance::AfterHold;
  EXPECT_EQ(scene.course(at_second(104)).traffic.weight, 5);
}

TEST(Steps, AHoldDoesNotEndEarlyBeforeTheWeightIsAccepted) {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 1, 1).route(canary_at(5), false);
  scene.canary_since(at_second(100), at_second(100));
  EXPECT_EQ(shown_to_be_good(scene).course(at_second(104)).traffic.weight, 5);
}

TEST(Steps, AHoldDoesNotEndEarlyWhileACriticalObjectiveHasShownNothing) {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 1, 1).route(canary_at(5));
  scene.canary_since(at_second(100), at_second(100));
  shown_to_be_good(scene);
  Objective lag;
  lag.name = "lag";
  lag.source = "prometheus";
  lag.value = ValueObjective{"lag", 100};
  lag.on_no_data = WhenNoData::Advance;
  scene.policy().objectives.push_back(lag);
  EXPECT_EQ(scene.course(at_second(104)).traffic.weight, 5);
  scene.policy().objectives.back().severity = Severity::Warning;
  EXPECT_EQ(scene.course(at_second(104)).traffic.weight, 25);
  scene.policy().objectives.erase(scene.policy().objectives.begin());
  EXPECT_EQ(scene.course(at_second(104)).traffic.weight, 5);
}

TEST(Steps, TheLastOnePromotes) {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 4, 4).route(canary_at(100));
  scene.canary_since(at_second(100), at_second(100)).counted(0, 1000, at_second(109));
  const auto course = scene.course(at_second(110));
  EXPECT_EQ(course.traffic.stable, "v2");
  EXPECT_EQ(course.traffic.previous, "v1");
  EXPECT_EQ(course.traffic.promoted, at_second(110));
  EXPECT_EQ(course.traffic.weight_of("v2"), 100);
  EXPECT_EQ(course.traffic.weight_of("v1"), 0);
  EXPECT_EQ(course.pods.at("v1"), 4);
}

TEST(Steps, StableIsScaledUpAtOnceButNotDownWhileAReleaseIsUnderWay) {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 1, 1).route(canary_at(5));
  scene.canary_since(at_second(100), at_second(100));
  scene.release().spec->replicas = 6;
  EXPECT_EQ(scene.course(at_second(101)).pods.at("v1"), 6);
  scene.release().spec->replicas = 2;
  EXPECT_EQ(scene.course(at_second(101)).pods.at("v1"), 4);
}

TEST(Steps, AStatusThatWasLostStartsTheHoldAgainAtTheWeightOfTheRoute) {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 2, 2).route(canary_at(50));
  scene.counted(0, 1000, at_second(199));
  const auto course = scene.course(at_second(200));
  EXPECT_EQ(course.traffic.weight, 50);
  EXPECT_EQ(course.canary->step, 3);
  EXPECT_EQ(course.canary->since, at_second(200));
}

TEST(Steps, AWeightBelowTheFirstStepIsHeldAsTheFirst) {
  Scene scene;
  scene.policy().steps = {{50, seconds(10)}, {100, seconds(10)}};
  scene.revision("v1", 4, 4).revision("v2", 2, 2).route(canary_at(5));
  scene.canary_since(at_second(100), at_second(100)).counted(0, 1000, at_second(109));
  EXPECT_EQ(scene.course(at_second(109)).traffic.weight, 5);
  EXPECT_EQ(scene.course(at_second(110)).traffic.weight, 50);
}

// ---- the judge ----

TEST(Judged, ABreachTakesTheCanaryBackAtOnceWhateverStableAndHoldSay) {
  Scene scene;
  scene.revision("v1", 4, 0).revision("v2", 1, 1).route(canary_at(5), false);
  scene.canary_since(at_second(100), {}).counted(100, 200, at_second(101));
  const auto course = scene.course(at_second(101));
  EXPECT_EQ(course.traffic.stable, "v1");
  EXPECT_EQ(course.traffic.weight_of("v2"), 0);
  EXPECT_EQ(course.traffic.rollback->revision, "v2");
  EXPECT_EQ(course.traffic.rollback->reason, "errors");
  EXPECT_EQ(course.traffic.rollback->bad_since, at_second(100));
  EXPECT_EQ(course.phase, Phase::RollingBack);
}

TEST(Judged, NoDataHoldsAndAfterMaxHoldAsksAPerson) {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 1, 1).route(canary_at(5));
  scene.canary_since(at_second(100), at_second(100));
  auto course = scene.course(at_second(150));
  EXPECT_EQ(course.traffic.weight, 5);
  EXPECT_EQ(course.phase, Phase::Progressing);
  course = scene.course(at_second(210));
  EXPECT_EQ(course.traffic.weight, 5);
  EXPECT_EQ(course.phase, Phase::AwaitingApproval);
}

TEST(Judged, NoDataRollsBackOnlyWhereTheUserSaidSoAndOnlyAfterTheHold) {
  Scene scene;
  scene.policy().objectives[0].on_no_data = WhenNoData::Rollback;
  scene.revision("v1", 4, 4).revision("v2", 1, 1).route(canary_at(5));
  scene.canary_since(at_second(100), at_second(100));
  EXPECT_FALSE(scene.course(at_second(109)).traffic.rollback);
  EXPECT_TRUE(scene.course(at_second(110)).traffic.rollback);
}

TEST(Judged, ASourceThatCannotBeReadHoldsTheWeight) {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 1, 1).route(canary_at(5));
  scene.canary_since(at_second(100), at_second(100))
      .counted(0, 1000, at_second(109))
      .source_fails("refused");
  const auto course = scene.course(at_second(120));
  EXPECT_EQ(course.traffic, canary_at(5));
  EXPECT_EQ(course.judgements.at(0).verdict, Verdict::SourceError);
}

TEST(Judged, AFewErrorsInFewRequestsAreNoBreach) {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 1, 1).route(canary_at(5));
  scene.canary_since(at_second(100), at_second(100)).counted(1, 5, at_second(105));
  const auto course = scene.course(at_second(105));
  EXPECT_FALSE(course.traffic.rollback);
  EXPECT_EQ(course.judgements.at(0).verdict, Verdict::Unsure);
}

// ---- after a rollback ----

TEST(RolledBack, TheRevisionGetsNoTrafficAgain) {
  Scene scene;
  auto traffic = stable_only("v1");
  traffic.rollback = RollbackMark{"v2", "errors", "bad", {}, at_second(90)};
  scene.revision("v1", 4, 4).revision("v2", 1, 1).route(traffic);
  auto course = scene.course(at_second(1000));
  EXPECT_EQ(course.traffic, traffic);
  EXPECT_EQ(course.phase, Phase::RollingBack);
  EXPECT_EQ(course.pods.count("v2"), 0U);

  scene.revision("v2", 0, 0);
  EXPECT_EQ(scene.course(at_second(1000)).phase, Phase::RolledBack);
}

TEST(RolledBack, AnotherRevisionStartsAFreshRelease) {
  Scene scene;
  auto traffic = stable_only("v1");
  traffic.rollback = RollbackMark{"v2", "errors", "bad", {}, at_second(90)};
  scene.revision("v1", 4, 4).revision("v2", 0, 0).route(traffic).wants("v3");
  const auto course = scene.course(at_second(1000));
  EXPECT_EQ(course.traffic.canary, "v3");
  EXPECT_FALSE(course.traffic.rollback);
}

// ---- changes of mind ----

TEST(ChangeOfMind, ANewRevisionMidReleaseTakesTheWeightBackAndStartsAtZero) {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 2, 2).route(canary_at(50)).wants("v3");
  scene.canary_since(at_second(100), at_second(100));
  const auto course = scene.course(at_second(101));
  EXPECT_EQ(course.traffic.canary, "v3");
  EXPECT_EQ(course.traffic.weight, 0);
  EXPECT_EQ(course.traffic.weight_of("v1"), 100);
}

TEST(ChangeOfMind, ACanaryThatServesAloneKeepsItsShareUntilStableIsBack) {
  Scene scene;
  scene.revision("v1", 4, 0).revision("v2", 2, 2).route(canary_at(50)).wants("v3");
  scene.canary_since(at_second(100), at_second(100)).counted(0, 1000, at_second(101));
  auto course = scene.course(at_second(101));
  EXPECT_EQ(course.phase, Phase::Degraded);
  EXPECT_EQ(course.traffic.canary, "v2");
  EXPECT_EQ(course.traffic.weight, 50);
  EXPECT_EQ(course.pods.at("v2"), 2);
  EXPECT_NE(course.message.find("v3 waits"), std::string::npos);

  // A breach waits for nothing.
  EXPECT_EQ(scene.counted(500, 1000, at_second(101)).course(at_second(101)).traffic.weight, 0);
  scene.counted(0, 1000, at_second(101)).revision("v1", 4, 1);
  EXPECT_EQ(scene.course(at_second(102)).traffic.canary, "v3");
}

TEST(ChangeOfMind, TheSpecBackAtStableEndsTheRelease) {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 2, 2).route(canary_at(50)).wants("v1");
  scene.canary_since(at_second(100), at_second(100));
  const auto course = scene.course(at_second(101));
  EXPECT_EQ(course.traffic, stable_only("v1"));
}

// ---- the watch ----

Traffic promoted_at(double seconds) { return Traffic{"v2", "", 0, "v1", at_second(seconds), {}}; }

TEST(Watch, KeepsThePreviousRevisionInFull) {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 4, 4).route(promoted_at(100));
  auto course = scene.course(at_second(159));
  EXPECT_EQ(course.pods.at("v1"), 4);
  EXPECT_EQ(course.watch_until, at_second(160));
  course = scene.course(at_second(160));
  EXPECT_EQ(course.pods.count("v1"), 0U);
  EXPECT_EQ(course.phase, Phase::Healthy);
}

TEST(Watch, ABreachReturnsToThePreviousRevision) {
  Scene scene;
  scene.revision("v1", 4, 4)
      .revision("v2", 4, 4)
      .route(promoted_at(100))
      .counted(500, 1000, at_second(120));
  const auto course = scene.course(at_second(121));
  EXPECT_EQ(course.traffic.stable, "v1");
  EXPECT_EQ(course.traffic.weight_of("v2"), 0);
  EXPECT_EQ(course.traffic.rollback->revision, "v2");
}

// The write that took it back in time was given up.
TEST(Watch, ABreachThatWasSeenInItCountsAfterIt) {
  Scene scene;
  scene.revision("v1", 4, 4)
      .revision("v2", 4, 4)
      .route(promoted_at(100))
      .counted(500, 1000, at_second(159));
  EXPECT_EQ(scene.course(at_second(170)).traffic.stable, "v1");
  EXPECT_EQ(scene.revision("v1", 0, 0).course(at_second(170)).traffic.stable, "v2")
      << "nobody is left to return to";
}

TEST(Watch, KeepWarmOutlastsIt) {
  Scene scene;
  scene.release().spec->keep_warm = {seconds(600), 50};
  scene.revision("v1", 4, 4).revision("v2", 4, 4).route(promoted_at(100));
  EXPECT_EQ(scene.course(at_second(200)).pods.at("v1"), 2);
  EXPECT_EQ(scene.course(at_second(700)).pods.count("v1"), 0U);
}

TEST(Healthy, MeansThatTheGatewayHasTakenTheRouteUp) {
  Scene scene;
  scene.revision("v1", 4, 4).route(stable_only("v1"), false).wants("v1");
  const auto course = scene.course(at_second(100));
  EXPECT_EQ(course.phase, Phase::Progressing);
  EXPECT_NE(course.message.find("gateway"), std::string::npos);
  EXPECT_EQ(scene.route(stable_only("v1")).course(at_second(100)).phase, Phase::Healthy);
}

TEST(Healthy, StaysSoWhileARevisionWithoutWeightLeavesTheRoute) {
  Scene scene;
  scene.revision("v1", 4, 4).route(stable_only("v1"), false).wants("v1");
  scene.status().phase = Phase::Healthy;
  scene.status().weights = {{"v0", 0}, {"v1", 100}};
  scene.snapshot().route_state.pending = true;
  EXPECT_EQ(scene.course(at_second(100)).phase, Phase::Healthy);
  scene.status().weights = {{"v0", 50}, {"v1", 50}};
  EXPECT_EQ(scene.course(at_second(100)).phase, Phase::Progressing);
}

// ---- a spec that cannot be used ----

TEST(BadSpec, MovesNothing) {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 1, 1).route(canary_at(5));
  scene.canary_since(at_second(100), at_second(100)).counted(0, 1000, at_second(200));
  scene.snapshot().pod_template =
      Error{ErrorKind::Invalid, "spec.images[0].container: found \"x\""};
  const auto course = scene.course(at_second(200));
  EXPECT_TRUE(course.hands_off);
  EXPECT_EQ(course.traffic, canary_at(5));
}

TEST(BadSpec, DoesNotKeepABreachFromRollingBack) {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 1, 1).route(canary_at(5));
  scene.canary_since(at_second(100), at_second(100)).counted(100, 200, at_second(200));
  scene.snapshot().pod_template =
      Error{ErrorKind::Invalid, "spec.images[0].container: found \"x\""};
  EXPECT_EQ(scene.course(at_second(200)).traffic.weight_of("v2"), 0);
}

TEST(Pods, AShareNeedsItsPartRoundedUpAndAtLeastOne) {
  EXPECT_EQ(pods_for(5, 4), 1);
  EXPECT_EQ(pods_for(25, 4), 1);
  EXPECT_EQ(pods_for(50, 4), 2);
  EXPECT_EQ(pods_for(51, 4), 3);
  EXPECT_EQ(pods_for(100, 4), 4);
  EXPECT_EQ(pods_for(0, 4), 0);
  EXPECT_EQ(pods_for(50, 0), 0);
}

}  // namespace
}  // namespace weir::test
