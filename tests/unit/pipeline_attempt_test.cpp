#include <gtest/gtest.h>

#include "pipeline/attempt_view.h"
#include "pipeline/step_contract.h"

namespace weir {
namespace {

using State = ContainerView::State;
using std::chrono::minutes;

// A Job with one pod, of which the test says how its containers are.
class AttemptOfAStage : public testing::Test {
 protected:
  AttemptOfAStage() {
    stage_.name = "unit";
    stage_.steps = {Step{"prepare"}, Step{"test"}};
    stage_.timeout = minutes(10);
    stage_.results = {"digest"};
    job_.meta.key = {"ci", "shop-1-unit-1"};
    job_.active = 1;
    pod_.meta.key = {"ci", "p"};
    pod_.meta.created = start_;
  }

  AttemptView look(milliseconds after = seconds(10)) const {
    std::vector<std::shared_ptr<const StagePodView>> pods;
    if (has_pod_) pods.push_back(std::make_shared<StagePodView>(pod_));
    return look_at_attempt(stage_, job_, pods, start_, start_ + after);
  }

  // "Test: step test failed with exit code 7", "Succeeded", or "" while it is not over.
  std::string end(milliseconds after = seconds(10)) const {
    const auto view = look(after);
    if (!view.end) return "";
    if (!view.end->failure) return "Succeeded";
    return std::string(to_string(*view.end->failure)) + ": " + view.end->message;
  }

  void ended(const std::string& name, int code, const std::string& reason,
             const std::string& message = "") {
    pod_.containers.push_back(
        {name, State::Ended, reason, message, code, start_, start_ + seconds(5)});
  }
  void waits(const std::string& name, const std::string& reason, const std::string& message) {
    pod_.containers.push_back({name, State::Waiting, reason, message, 0, {}, {}});
  }
  void runs(const std::string& name) {
    pod_.containers.push_back({name, State::Running, "", "", 0, start_ + seconds(1), {}});
  }
  void job_failed(const std::string& reason) {
    job_.active = 0;
    job_.failed = start_ + seconds(9);
    job_.reason = reason;
  }

  const WallTime start_{seconds(1'700'000'000)};
  Stage stage_;
  JobView job_;
  StagePodView pod_;
  bool has_pod_ = true;
};

TEST_F(AttemptOfAStage, AStepThatFailedIsKnownBeforeTheJobSaysSo) {
  runs("service-redis");
  ended("step-prepare", 0, "Completed");
  ended("step-test", 7, "Error");
  EXPECT_EQ(end(), "Test: step test failed with exit code 7");
  EXPECT_FALSE(look().must_stop);
  pod_.failed = true;
  job_failed("BackoffLimitExceeded");
  EXPECT_EQ(end(), "Test: step test failed with exit code 7");
}

TEST_F(AttemptOfAStage, ResultsComeFromTheStepsThatDeclaredOnesWrote) {
  ended("step-prepare", 0, "Completed", R"({"results": {"digest": "a", "other": "b"}})");
  ended("step-test", 0, "Completed", R"({"results": {"digest": "c"}})");
  ended("service-redis", 1, "Error", R"({"results": {"digest": "d"}})");
  pod_.succeeded = true;
  job_.completed = start_;
  EXPECT_EQ(end(), "Succeeded");
  EXPECT_EQ(look().end->results, (std::map<std::string, std::string>{{"digest", "c"}}));
}

// Found by the simulator: pods and Jobs come by two watches, in either order.
TEST_F(AttemptOfAStage, ResultsAreWaitedForWhenTheJobIsKnownToBeCompleteBeforeItsPod) {
  runs("step-test");
  job_.completed = start_ + seconds(9);
  EXPECT_EQ(end(), "");
  EXPECT_EQ(look().waiting, "its pod has not told its results yet");
  EXPECT_EQ(look().look_again, start_ + seconds(69));
  EXPECT_EQ(end(seconds(70)), "Infrastructure: its results were lost with its pod");
  pod_.containers.clear();
  ended("step-test", 0, "Completed", R"({"results": {"digest": "sha256:1"}})");
  pod_.succeeded = true;
  EXPECT_EQ(look().end->results.at("digest"), "sha256:1");
  stage_.results.clear();
  has_pod_ = false;
  EXPECT_EQ(end(), "Succeeded") << "there is nothing to wait for";
}

TEST_F(AttemptOfAStage, ReportsAreWaitedForAndMadeAgainOnlyWhereABoundNeedsThem) {
  stage_.results.clear();
  stage_.reports = {{"load", ReportKind::Figures, "load"}};
  runs("step-test");
  job_.completed = start_ + seconds(9);
  EXPECT_EQ(end(), "");
  EXPECT_EQ(end(seconds(70)), "Succeeded");
  stage_.reports[0].bounds = {{"p99_ms", std::nullopt, 20}};
  EXPECT_EQ(end(seconds(70)), "Infrastructure: its results were lost with its pod");
}

TEST_F(AttemptOfAStage, AFailureIsNotTheInfrastructuresWhileItsPodHasNotToldYet) {
  runs("step-test");
  job_failed("BackoffLimitExceeded");
  EXPECT_EQ(end(), "");
  EXPECT_EQ(look().waiting, "its pod has not told why it failed yet");
  EXPECT_EQ(end(seconds(70)), "Infrastructure: its pod was taken away (BackoffLimitExceeded)");
  pod_.containers.clear();
  ended("step-test", 7, "Error");
  EXPECT_EQ(end(), "Test: step test failed with exit code 7");
}

TEST_F(AttemptOfAStage, ASidecarsEndIsNobodysFailure) {
  ended("service-redis", 137, "ContainerStatusUnknown");
  ended("service-redis", 1, "Error");
  runs("step-test");
  EXPECT_EQ(end(), "");
}

TEST_F(AttemptOfAStage, OutOfMemory) {
  ended("step-test", 137, "OOMKilled");
  EXPECT_EQ(end(), "OutOfMemory: step test used more memory than its limit");
}

TEST_F(AttemptOfAStage, ACommandThatIsNotThere) {
  ended("step-test", 128, "StartError", "exec: \"pytest\": not found");
  EXPECT_EQ(end(), "Config: step test could not be begun: exec: \"pytest\": not found");
}

TEST_F(AttemptOfAStage, WeirStepSaysWhatItKnowsBetter) {
  ended("step-test", 1, "Error", R"({"timeout": "NoOutput", "error": "2m"})");
  EXPECT_EQ(end(), "Timeout: step test wrote nothing for too long: 2m");
  pod_.containers.clear();
  ended("step-test", 1, "Error", R"({"timeout": "Step", "error": "5m"})");
  EXPECT_EQ(end(), "Timeout: step test took too long: 5m");
  pod_.containers.clear();
  ended("weir-tools", 1, "Error", R"({"class": "Config", "error": "cannot be copied"})");
  EXPECT_EQ(end(), "Config: container weir-tools failed with exit code 1: cannot be copied");
  pod_.containers.clear();
  ended("step-test", 1, "Error", "plain words");
  EXPECT_EQ(end(), "Test: step test failed with exit code 1: plain words");
}

TEST_F(AttemptOfAStage, AnImageThatCannotBePulledHasItsTime) {
  waits("step-test", "ImagePullBackOff", "no such image");
  EXPECT_EQ(end(), "");
  EXPECT_EQ(look().waiting, "step test has no image (ImagePullBackOff): no such image");
  EXPECT_EQ(look().look_again, start_ + minutes(2));
  EXPECT_EQ(end(minutes(2)), "ImagePull: step test has no image (ImagePullBackOff): no such image");
  EXPECT_TRUE(look(minutes(2)).must_stop);
}

TEST_F(AttemptOfAStage, TheTimeOfALaterStepsImageBeginsWithTheEndOfTheStepBefore) {
  ended("step-prepare", 0, "Completed");
  pod_.containers.back().ended = start_ + minutes(5);
  waits("step-test", "ErrImagePull", "");
  EXPECT_EQ(end(minutes(6)), "");
  EXPECT_EQ(end(minutes(7)), "ImagePull: step test has no image (ErrImagePull)");
}

TEST_F(AttemptOfAStage, AnImageThatNoTryCanMendFailsAtOnce) {
  waits("service-redis", "InvalidImageName", "");
  EXPECT_EQ(end(), "ImagePull: service redis has no image (InvalidImageName)");
}

TEST_F(AttemptOfAStage, AMissingSecretIsNamedAtOnceAndFailsSoon) {
  waits("step-test", "CreateContainerConfigError", "secret \"git\" not found");
  EXPECT_EQ(look().waiting,
            "step test has no usable configuration (CreateContainerConfigError): secret \"git\" "
            "not found");
  EXPECT_EQ(end(seconds(30)).substr(0, 8), "Config: ");
}

TEST_F(AttemptOfAStage, ADrainedPodIsReplacedByItsJob) {
  runs("step-test");
  pod_.meta.deleting = true;
  pod_.disruption = "EvictionByEvictionAPI";
  EXPECT_EQ(end(), "");
  EXPECT_EQ(look().waiting, "pod p was taken away (EvictionByEvictionAPI); its Job makes another");
  stage_.restartable = false;
  EXPECT_EQ(end(), "Infrastructure: pod p was taken away (EvictionByEvictionAPI)");
  EXPECT_FALSE(look().must_stop);
}

TEST_F(AttemptOfAStage, ADeletedPod) {
  ended("step-test", 143, "Error");
  pod_.meta.deleting = true;
  job_failed("BackoffLimitExceeded");
  EXPECT_EQ(end(), "Infrastructure: pod p was deleted");
  has_pod_ = false;
  EXPECT_EQ(end(), "Infrastructure: its pod was taken away (BackoffLimitExceeded)");
}

TEST_F(AttemptOfAStage, AStepThatFailedByItselfKeepsItsClassWhenItsPodIsDeleted) {
  ended("step-test", 7, "Error");
  pod_.meta.deleting = true;
  EXPECT_EQ(end(), "Test: step test failed with exit code 7");
}

TEST_F(AttemptOfAStage, ANodeEndedIt) {
  pod_.failed = true;
  pod_.reason = "Evicted";
  pod_.message = "low on disk";
  job_failed("BackoffLimitExceeded");
  EXPECT_EQ(end(), "Infrastructure: pod p was ended by its node (Evicted): low on disk");
  pod_.reason.clear();
  ended("step-test", 137, "ContainerStatusUnknown");
  EXPECT_EQ(end(), "Infrastructure: step test was lost with its node");
}

TEST_F(AttemptOfAStage, ThePodsDeadlineIsATimeout) {
  ended("step-test", 137, "Error");
  pod_.failed = true;
  pod_.reason = "DeadlineExceeded";
  EXPECT_EQ(end(), "Timeout: did not end within 10m, in step test");
}

TEST_F(AttemptOfAStage, APodThatIsNotScheduledHasTheStagesTime) {
  pod_.unschedulable = "0/3 nodes are available";
  EXPECT_EQ(look().waiting, "not scheduled: 0/3 nodes are available");
  EXPECT_EQ(look().look_again, start_ + minutes(10));
  EXPECT_EQ(end(minutes(10)),
            "Timeout: did not end within 10m: not scheduled: 0/3 nodes are available");
  EXPECT_TRUE(look(minutes(10)).must_stop);
}

TEST_F(AttemptOfAStage, ARunningPodMayEndByItsOwnDeadlineFirst) {
  runs("step-test");
  EXPECT_EQ(end(minutes(10)), "");
  EXPECT_EQ(end(minutes(10) + seconds(90)), "Timeout: did not end within 10m");
}

TEST_F(AttemptOfAStage, AStepOfWhichItsProgramLostCountIsStopped) {
  stage_.steps[1].timeout = minutes(1);
  runs("step-test");
  EXPECT_EQ(look().look_again, start_ + seconds(1 + 60 + 90));
  EXPECT_EQ(end(seconds(151)), "Timeout: step test did not end within 1m");
}

TEST_F(AttemptOfAStage, NoPodAtAllIsSaid) {
  has_pod_ = false;
  EXPECT_EQ(look().waiting, "");
  EXPECT_EQ(look(seconds(30)).waiting,
            "no pod has been made for Job shop-1-unit-1: its Events say why (a quota?)");
}

TEST_F(AttemptOfAStage, OfSeveralPodsTheNewestCounts) {
  auto old = pod_;
  old.failed = true;
  old.disruption = "PreemptionByScheduler";
  pod_.meta.key.name = "q";
  pod_.meta.created = start_ + seconds(5);
  runs("step-test");
  const auto view = look_at_attempt(
      stage_, job_, {std::make_shared<StagePodView>(pod_), std::make_shared<StagePodView>(old)},
      start_, start_ + seconds(10));
  EXPECT_FALSE(view.end);
  EXPECT_EQ(view.waiting, "");
}

TEST(StepMessage, ForeignTextIsOnlyWords) {
  EXPECT_EQ(decode_step_message("oops").error, "oops");
  EXPECT_EQ(decode_step_message("[1]").error, "[1]");
  EXPECT_TRUE(decode_step_message(R"({"results": [1], "class": "Bad"})").results.empty());
  EXPECT_FALSE(decode_step_message(R"({"class": "Bad"})").failure);
}

}  // namespace
}  // namespace weir
