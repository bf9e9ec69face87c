// What people may ask of a Release, and how they are answered.
#include <gtest/gtest.h>

#include "base/time_format.h"
#include "delivery/requests.h"
#include "delivery_scene.h"

namespace weir::test {
namespace {

const WallTime kNow = at_second(1000);

// v1 serves, v2 is under way at 25 % and its hold has just begun.
Scene under_way() {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 1, 1).route(canary_at(25));
  scene.canary_since(kNow, kNow).counted(0, 1000, kNow);
  return scene;
}

void ask(Scene& scene, const std::string& request, WallTime at = kNow) {
  auto& marks = scene.release().meta.annotations;
  marks[std::string(marks::kRequest)] = request;
  marks[std::string(marks::kRequestId)] = "n1@" + format_time(at);
  marks[std::string(marks::kRequestedBy)] = "alice";
}

std::string refusal(Scene& scene) {
  const auto answer = scene.course(kNow).answer;
  return answer && answer->outcome == "Refused" ? answer->message : "";
}

TEST(Request, PromoteEndsTheHoldOfThePresentWeightOnly) {
  auto scene = under_way();
  EXPECT_EQ(scene.course(kNow).traffic.weight, 25);
  scene.revision("v2", 2, 2);
  ask(scene, "promote:v2");
  const auto course = scene.course(kNow);
  EXPECT_EQ(course.traffic.weight, 50);
  EXPECT_EQ(course.traffic.waived, 25);
  EXPECT_EQ(course.traffic.request, "n1@" + format_time(kNow));
  EXPECT_EQ(told(*course.answer), "promote:v2 by alice: Done");
}

TEST(Request, PromoteWaitsForAcceptanceAndPods) {
  Scene scene;
  scene.revision("v1", 4, 4).revision("v2", 2, 2).route(canary_at(25), false);
  ask(scene, "promote:v2");
  EXPECT_EQ(scene.course(kNow).traffic.weight, 25);
}

TEST(Request, PromoteFullGoesToAHundredOnceThePodsAreThere) {
  auto scene = under_way();
  ask(scene, "promote-full:v2");
  const auto course = scene.course(kNow);
  EXPECT_EQ(course.traffic.weight, 25);
  EXPECT_EQ(course.pods.at("v2"), 4);
  scene.revision("v2", 4, 4);
  EXPECT_EQ(scene.course(kNow).traffic.weight, 100);
}

TEST(Request, ABreachIsStrongerThanAPromotion) {
  auto scene = under_way();
  scene.counted(900, 1000, kNow);
  ask(scene, "promote-full:v2");
  EXPECT_EQ(scene.course(kNow).phase, Phase::RollingBack);
}

TEST(Request, IsForTheRevisionItNames) {
  auto scene = under_way();
  for (const auto* verb : {"promote", "promote-full", "abort"}) {
    ask(scene, std::string(verb) + ":v9");
    EXPECT_EQ(refusal(scene), "the release under way is that of v2") << verb;
    ask(scene, verb);
    EXPECT_NE(refusal(scene), "") << verb;
  }
  EXPECT_EQ(scene.course(kNow).traffic, canary_at(25));
}

TEST(Request, AbortTakesTheCanaryBackUntilSomebodyRetries) {
  auto scene = under_way();
  ask(scene, "abort:v2");
  auto course = scene.course(kNow);
  EXPECT_EQ(course.phase, Phase::RollingBack);
  EXPECT_EQ(course.traffic.weight_of("v1"), 100);
  EXPECT_EQ(course.traffic.rollback->reason, "Aborted");
  EXPECT_EQ(course.traffic.rollback->message, "aborted by alice");
  scene.route(course.traffic);
  ask(scene, "retry:v2", kNow + seconds(1));
  course = scene.course(kNow);
  EXPECT_EQ(course.phase, Phase::Progressing);
  EXPECT_EQ(course.traffic.canary, "v2");
  EXPECT_EQ(course.traffic.weight, 0);
}

TEST(Request, AbortWorksThoughTheSpecIsBroken) {
  auto scene = under_way();
  scene.snapshot().pod_template = Error{ErrorKind::Invalid, "spec.images[0].container: …"};
  scene.wants("");
  ask(scene, "abort:v2");
  EXPECT_EQ(scene.course(kNow).traffic.weight_of("v2"), 0);
  ask(scene, "pause");
  EXPECT_EQ(refusal(scene), "the spec cannot be used: mend it first");
}

TEST(Request, AbortAfterThePromotionReturnsToWhatStillHasItsPods) {
  Scene scene;
  auto promoted = stable_only("v2");
  promoted.previous = "v1";
  promoted.promoted = kNow - seconds(5);
  scene.revision("v1", 4, 4).revision("v2", 4, 4).route(promoted);
  ask(scene, "abort:v2");
  EXPECT_EQ(scene.course(kNow).traffic.weight_of("v1"), 100);
  scene.revision("v1", 4, 3);
  EXPECT_NE(refusal(scene).find("use rollback"), std::string::npos);
}

TEST(Request, PauseStopsARiseAndResumeGoesOn) {
  auto scene = under_way();
  ask(scene, "pause");
  auto course = scene.course(kNow);
  EXPECT_EQ(course.phase, Phase::Paused);
  scene.revision("v2", 2, 2).route(course.traffic);
  scene.canary_since(kNow - seconds(60), kNow - seconds(60));
  EXPECT_EQ(scene.course(kNow).traffic.weight, 25);
  ask(scene, "promote:v2", kNow + seconds(1));
  EXPECT_EQ(refusal(scene), "the release is paused: resume it first");
  ask(scene, "resume", kNow + seconds(2));
  EXPECT_EQ(scene.course(kNow).traffic.weight, 50);
}

TEST(Paused, BySpecNothingBeginsAndABreachStillRollsBack) {
  Scene scene;
  scene.release().spec->paused = true;
  scene.revision("v1", 4, 4).route(stable_only("v1"));
  auto course = scene.course(kNow);
  EXPECT_EQ(course.phase, Phase::Paused);
  EXPECT_EQ(course.traffic, stable_only("v1"));
  EXPECT_EQ(course.pods.count("v2"), 0U);
  scene.revision("v2", 1, 1).route(canary_at(25)).counted(900, 1000, kNow);
  EXPECT_EQ(scene.course(kNow).phase, Phase::RollingBack);
  ask(scene, "resume");
  EXPECT_EQ(refusal(scene), "spec.paused is true: only a change of it resumes");
}

TEST(Paused, TheFirstRevisionWaits) {
  Scene scene;
  scene.release().spec->paused = true;
  const auto course = scene.course(kNow);
  EXPECT_EQ(course.phase, Phase::Paused);
  EXPECT_TRUE(course.pods.empty());
}

TEST(Request, RollbackScalesAKeptRevisionUpAndThenItServes) {
  Scene scene;
  scene.wants("v2").revision("v1", 0, 0).revision("v2", 4, 4).route(stable_only("v2"));
  ask(scene, "rollback:v1");
  auto course = scene.course(kNow);
  EXPECT_EQ(course.pods.at("v1"), 4);
  EXPECT_EQ(course.traffic.weight_of("v2"), 100);
  scene.revision("v1", 4, 4).route(course.traffic);
  course = scene.course(kNow);
  EXPECT_EQ(course.traffic.weight_of("v1"), 100);
  EXPECT_EQ(course.traffic.rollback->revision, "v2");
  scene.route(course.traffic);
  EXPECT_EQ(scene.course(kNow).phase, Phase::RollingBack);
  ask(scene, "resume", kNow + seconds(1));
  EXPECT_EQ(scene.course(kNow).traffic.canary, "v2");
}

TEST(Request, RollbackNamesWhatItMayReturnTo) {
  Scene scene;
  scene.wants("v2").revision("v1", 0, 0).revision("v2", 4, 4).route(stable_only("v2"));
  ask(scene, "rollback:v7");
  EXPECT_EQ(refusal(scene), "no revision \"v7\" is kept; there are: v1");
  ask(scene, "rollback:v2");
  EXPECT_EQ(refusal(scene), "v2 serves already");
  auto busy = under_way();
  ask(busy, "rollback:v1");
  EXPECT_EQ(refusal(busy), "a release of v2 is under way: abort it first");
}

TEST(Request, IsGoodForTenMinutes) {
  auto scene = under_way();
  ask(scene, "pause", kNow - seconds(601));
  EXPECT_NE(refusal(scene).find("more than 10 minutes ago"), std::string::npos);
  ask(scene, "pause", kNow + seconds(61));
  EXPECT_NE(refusal(scene).find("yet to come"), std::string::npos);
  scene.release().meta.annotations[std::string(marks::kRequestId)] = "n1";
  EXPECT_NE(refusal(scene).find("must be NONCE@TIME"), std::string::npos);
}

TEST(Request, AnUnknownVerbIsRefusedWithThoseThereAre) {
  auto scene = under_way();
  ask(scene, "explode");
  EXPECT_EQ(refusal(scene),
            "found \"explode\", must be promote, promote-full, abort, retry, rollback, pause or "
            "resume");
}

TEST(Request, IsAnsweredOnceEvenIfTheAnswerWasLost) {
  auto scene = under_way();
  ask(scene, "promote:v2");
  scene.revision("v2", 2, 2);
  auto course = scene.course(kNow);
  scene.route(course.traffic);
  scene.canary_since(kNow, kNow);
  scene.status().canary->weight = 50;
  course = scene.course(kNow);
  EXPECT_EQ(course.answer->outcome, "Done");
  EXPECT_EQ(course.traffic.waived, 25);
  EXPECT_EQ(course.traffic.weight, 50);
  scene.status().requests = {*course.answer};
  EXPECT_FALSE(scene.course(kNow).answer);
}

TEST(Request, IsAcknowledgedOnlyWithWhatItChanged) {
  auto scene = under_way();
  ask(scene, "pause");
  scene.snapshot().revisions["v1"].service = nullptr;  // the route waits until it is back
  for (const auto& action : scene.plan(kNow).actions) {
    const auto* status = std::get_if<PatchStatus>(&action);
    EXPECT_FALSE(status && status->status.contains("requests"));
  }
}

}  // namespace
}  // namespace weir::test
