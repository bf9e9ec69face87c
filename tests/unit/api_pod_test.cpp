// What is read from pods, in the shapes that real kubelets give them (1.36, containerd 2).
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/codec.h"
#include "base/time_format.h"

namespace weir {
namespace {

using Kind = ContainerTrouble::Kind;

PodView decode(const std::string& status) {
  return *decode_pod(
      Json::parse(R"({"metadata": {"name": "shop-abc-1"}, "status": )" + status + "}"));
}

PodView with_container(const std::string& container) {
  return decode(R"({"containerStatuses": [)" + container + "]}");
}

WallTime at(const char* text) { return *parse_time(text); }

const char* const kRunning = R"({"name": "web", "ready": true, "started": true, "restartCount": 0,
    "lastState": {}, "state": {"running": {"startedAt": "2026-11-21T13:00:00Z"}}})";

// A container whose last run took `seconds`, with `rest` of its status.
std::string ended(int restarts, int seconds, const std::string& rest, int exit_code = 1,
                  const std::string& reason = "Error") {
  return R"({"name": "web", "restartCount": )" + std::to_string(restarts) +
         R"(, "lastState": {"terminated": {"exitCode": )" + std::to_string(exit_code) +
         R"(, "reason": ")" + reason +
         R"(", "startedAt": "2026-11-21T13:00:00Z", "finishedAt": ")" +
         format_time(at("2026-11-21T13:00:00Z") + std::chrono::seconds(seconds)) + "\"}}, " + rest +
         "}";
}

const char* const kAgain =
    R"("ready": true, "state": {"running": {"startedAt": "2026-11-21T14:00:00Z"}})";

TEST(PodView, AReadyPodHasNoTrouble) {
  const auto pod = decode(std::string(R"({"phase": "Running", "conditions": [
      {"type": "PodReadyToStartContainers", "status": "True"},
      {"type": "Initialized", "status": "True"},
      {"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-21T13:00:05Z"},
      {"type": "ContainersReady", "status": "True", "lastTransitionTime": "2026-11-21T13:00:05Z"},
      {"type": "PodScheduled", "status": "True"}],
      "containerStatuses": [)") +
                          kRunning + "]}");
  EXPECT_TRUE(pod.ready);
  EXPECT_TRUE(pod.containers_ready);
  EXPECT_FALSE(pod.finished);
  EXPECT_FALSE(pod.trouble);
  EXPECT_FALSE(pod.containers_unready_since);
  EXPECT_EQ(pod.disruption + pod.unschedulable + pod.not_ready, "");
}

TEST(PodView, ANewPodOfWhichNobodyHasSaidAnythingHasNoTrouble) {
  const auto pod = decode(R"({"phase": "Pending"})");
  EXPECT_FALSE(pod.trouble);
  EXPECT_FALSE(pod.ready);
  EXPECT_FALSE(pod.containers_unready_since);
}

TEST(PodView, AContainerThatIsBeingCreatedIsNotReadySinceTheKubeletTookThePod) {
  const auto pod = decode(R"({"phase": "Pending", "conditions": [
      {"type": "Ready", "status": "False", "reason": "ContainersNotReady",
       "lastTransitionTime": "2026-11-21T13:00:05Z"},
      {"type": "ContainersReady", "status": "False", "reason": "ContainersNotReady",
       "lastTransitionTime": "2026-11-21T13:00:05Z"}],
      "containerStatuses": [{"name": "web", "ready": false, "started": false, "restartCount": 0,
       "lastState": {}, "state": {"waiting": {"reason": "ContainerCreating"}}}]})");
  EXPECT_EQ(pod.containers_unready_since, at("2026-11-21T13:00:05Z"));
  ASSERT_TRUE(pod.trouble);
  EXPECT_EQ(pod.trouble->kind, Kind::NotReady);
  EXPECT_EQ(pod.trouble->reason, "ContainerCreating");
}

TEST(PodView, CrashLoopBackOffIsACrashLoop) {
  const auto pod = with_container(ended(3, 2, R"("ready": false, "state": {"waiting": {
      "reason": "CrashLoopBackOff", "message": "back-off 40s restarting failed container=web"}})",
                                        137, "OOMKilled"));
  ASSERT_TRUE(pod.trouble);
  EXPECT_EQ(pod.trouble->kind, Kind::CrashLoop);
  EXPECT_EQ(pod.trouble->container, "web");
  EXPECT_EQ(pod.trouble->restarts, 3);
  EXPECT_EQ(pod.trouble->exit_code, 137);
  EXPECT_EQ(pod.trouble->exit_reason, "OOMKilled");
  EXPECT_EQ(pod.trouble->ended, at("2026-11-21T13:00:02Z"));
  EXPECT_FALSE(pod.trouble->running_since);
}

TEST(PodView, ALoopIsALoopAlsoWhenItRunsForAMoment) {
  const auto pod = with_container(ended(2, 2, kAgain));
  ASSERT_TRUE(pod.trouble);
  EXPECT_EQ(pod.trouble->kind, Kind::CrashLoop);
  EXPECT_EQ(pod.trouble->running_since, at("2026-11-21T14:00:00Z"));
}

TEST(PodView, TheSecondEndIsALoopBeforeTheKubeletBacksOff) {
  const auto pod = with_container(
      R"({"name": "web", "restartCount": 1, "ready": false, "state": {"terminated": {
          "exitCode": 2, "reason": "Error", "startedAt": "2026-11-21T13:00:00Z",
          "finishedAt": "2026-11-21T13:00:01Z"}}})");
  ASSERT_TRUE(pod.trouble);
  EXPECT_EQ(pod.trouble->kind, Kind::CrashLoop);
  EXPECT_EQ(pod.trouble->exit_code, 2);
}

TEST(PodView, AProgramThatCannotBeStartedIsALoopThoughItIsToldToHaveBegunIn1970) {
  const auto pod = with_container(
      R"({"name": "web", "restartCount": 2, "ready": false, "lastState": {"terminated": {
          "exitCode": 128, "reason": "StartError", "startedAt": "1970-01-01T00:00:00Z",
          "finishedAt": "2026-11-21T13:00:01Z", "message": "secret=1"}},
          "state": {"waiting": {"reason": "RunContainerError", "message": "exec: \"/no\""}}})");
  ASSERT_TRUE(pod.trouble);
  EXPECT_EQ(pod.trouble->kind, Kind::CrashLoop);
  // What a program writes into its termination message is its own affair.
  EXPECT_EQ(pod.trouble->message.find("secret"), std::string::npos);
}

TEST(PodView, OneCrashIsNoLoop) {
  EXPECT_FALSE(with_container(ended(1, 2, kAgain)).trouble);
  const auto starting = with_container(ended(
      1, 2, R"("ready": false, "state": {"running": {"startedAt": "2026-11-21T14:00:00Z"}})"));
  ASSERT_TRUE(starting.trouble);
  EXPECT_EQ(starting.trouble->kind, Kind::NotReady);
  EXPECT_EQ(starting.trouble->exit_code, 1);
}

TEST(PodView, NeitherLongRunsNorCleanEndsNorALostNodeMakeALoop) {
  EXPECT_FALSE(with_container(ended(5, 3600, kAgain)).trouble);
  EXPECT_FALSE(with_container(ended(5, 2, kAgain, 0, "Completed")).trouble);
  EXPECT_FALSE(with_container(ended(2, 2, kAgain, 255, "Unknown")).trouble);
  EXPECT_FALSE(with_container(ended(2, 2, kAgain, 137, "ContainerStatusUnknown")).trouble);
}

TEST(PodView, EachReasonForAMissingImage) {
  for (const auto* reason :
       {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"}) {
    const auto pod = with_container(
        R"({"name": "web", "ready": false, "restartCount": 0, "state": {"waiting": {"reason": ")" +
        std::string(reason) + R"(", "message": "no"}}})");
    ASSERT_TRUE(pod.trouble);
    EXPECT_EQ(pod.trouble->kind, Kind::ImagePull) << reason;
    EXPECT_EQ(pod.trouble->reason, reason);
    EXPECT_EQ(pod.trouble->message, "no");
  }
}

TEST(PodView, WordsAreCutAndLoseTheQueriesOfUrls) {
  const auto pod = with_container(
      R"({"name": "web", "ready": false, "state": {"waiting": {"reason": "ErrImagePull", "message":
          "Get \"https://store/blob?signature=letmein\": 403 )" +
      std::string(2000, 'x') + R"("}}})");
  ASSERT_TRUE(pod.trouble);
  EXPECT_EQ(pod.trouble->message.find("letmein"), std::string::npos);
  EXPECT_TRUE(pod.trouble->message.starts_with("Get \"https://store/blob?\": 403 "));
  EXPECT_LE(pod.trouble->message.size(), ContainerTrouble::kMaxWords);
}

TEST(PodView, AConfigurationThatIsNotThereIsTold) {
  const auto pod = with_container(
      R"({"name": "web", "ready": false, "restartCount": 0, "state": {"waiting": {
          "reason": "CreateContainerConfigError", "message": "configmap \"shop\" not found"}}})");
  ASSERT_TRUE(pod.trouble);
  EXPECT_EQ(pod.trouble->kind, Kind::NotReady);
  EXPECT_EQ(pod.trouble->message, "configmap \"shop\" not found");
}

TEST(PodView, InitContainersAndSidecarsCount) {
  const auto loops = decode(
      R"({"initContainerStatuses": [)" +
      ended(4, 1, R"("ready": false, "state": {"waiting": {"reason": "CrashLoopBackOff"}})") +
      R"(], "containerStatuses": [{"name": "app", "ready": false, "restartCount": 0,
          "state": {"waiting": {"reason": "PodInitializing"}}}]})");
  ASSERT_TRUE(loops.trouble);
  EXPECT_EQ(loops.trouble->kind, Kind::CrashLoop);

  const auto pulls = decode(std::string(R"({"initContainerStatuses": [)") + kRunning +
                            R"(], "containerStatuses": [{"name": "app", "ready": false, "state":
                                {"waiting": {"reason": "ImagePullBackOff"}}}]})");
  ASSERT_TRUE(pulls.trouble);
  EXPECT_EQ(pulls.trouble->container, "app");
}

TEST(PodView, AnInitContainerThatGotThereAtLastIsNoTrouble) {
  const auto pod = decode(R"({"initContainerStatuses": [{"name": "migrate", "ready": true,
      "restartCount": 3, "state": {"terminated": {"exitCode": 0, "reason": "Completed"}},
      "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}}}],
      "containerStatuses": []})");
  EXPECT_FALSE(pod.trouble);
}

TEST(PodView, TheContainerThatTellsWhyIsNamedBeforeThoseThatWaitForIt) {
  const auto pod = decode(R"({"initContainerStatuses": [
      {"name": "first", "ready": false, "state": {"waiting": {"reason": "PodInitializing"}}},
      {"name": "second", "ready": false,
       "state": {"waiting": {"reason": "CreateContainerError", "message": "no"}}}],
      "containerStatuses": [
      {"name": "app", "ready": false, "state": {"waiting": {"reason": "PodInitializing"}}}]})");
  ASSERT_TRUE(pod.trouble);
  EXPECT_EQ(pod.trouble->container, "second");
}

TEST(PodView, WhatTheInfrastructureDoesIsTold) {
  const auto pod = decode(R"({"conditions": [
      {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"},
      {"type": "Ready", "status": "False", "reason": "ReadinessGatesNotReady"},
      {"type": "ContainersReady", "status": "True"},
      {"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
       "message": "0/3 nodes are available"}]})");
  EXPECT_EQ(pod.disruption, "PreemptionByScheduler");
  EXPECT_EQ(pod.unschedulable, "0/3 nodes are available");
  EXPECT_EQ(pod.not_ready, "ReadinessGatesNotReady");
  EXPECT_TRUE(pod.containers_ready);
  EXPECT_FALSE(pod.ready);
}

TEST(PodView, ADisruptionThatDidNotHappenIsNone) {
  EXPECT_EQ(
      decode(R"({"conditions": [{"type": "DisruptionTarget", "status": "False"}]})").disruption,
      "");
}

TEST(PodView, AnEvictedPodIsFinished) {
  const auto pod = decode(R"({"phase": "Failed", "reason": "Evicted", "containerStatuses": [
      {"name": "web", "ready": false, "restartCount": 0,
       "state": {"terminated": {"exitCode": 137, "reason": "Error"}}}]})");
  EXPECT_TRUE(pod.finished);
}

TEST(PodView, AnotherShapeThanExpectedIsNoTrouble) {
  for (const auto* status :
       {"null", "[]", R"({"conditions": {}, "containerStatuses": {}})",
        R"({"conditions": [1, null], "containerStatuses": [null, 1, {"ready": true}]})"}) {
    const auto pod =
        decode_pod(Json{{"metadata", {{"name", "a"}}}, {"status", Json::parse(status)}});
    ASSERT_TRUE(pod) << status;
  }
  EXPECT_FALSE(decode_pod(Json::object()));
}

}  // namespace
}  // namespace weir
