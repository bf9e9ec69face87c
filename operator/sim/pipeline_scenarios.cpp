#include "sim/pipeline_scenarios.h"

namespace weir::sim {
namespace {

using What = RunInput::What;

RunInput at(int second, What what, std::string run = "one", std::string stage = "") {
  return {seconds(second), what, std::move(run), std::move(stage)};
}

RunOptions story(std::string_view spec, std::vector<RunInput> inputs) {
  RunOptions options;
  options.world.pod_start_min = milliseconds(800);
  options.world.pod_start_max = milliseconds(1200);
  options.releases.clear();
  options.pipelines.spec = spec;
  options.pipelines.inputs = std::move(inputs);
  options.settling = seconds(150);
  return options;
}

// Nodes that are drained or under pressure, and a registry that is away.
RunOptions stormy(RunOptions options) {
  options.faults.world.job_pod_lost_gap = seconds(5);
  options.faults.world.registry_away_gap = seconds(25);
  options.faults_end = seconds(30);
  return options;
}

RunOptions by_two(RunOptions options) {
  options.instances = 2;
  return options;
}

constexpr std::string_view kGood = R"j({"stages": [
  {"name": "build", "results": [{"name": "digest"}],
   "steps": [{"name": "get", "image": "good-1", "script": "x"},
             {"name": "make", "image": "good-1", "script": "x"}]},
  {"name": "test", "needs": ["build"], "matrix": {"axes": [{"name": "os", "values": ["a", "b"]}]},
   "services": [{"name": "db", "image": "good-1"}],
   "steps": [{"name": "do", "image": "good-1", "script": "x"}]},
  {"name": "ship", "needs": ["test"],
   "steps": [{"name": "do", "image": "good-1", "script": "x",
              "env": [{"name": "DIGEST", "value": "$(stages.build.results.digest)"}]}]}]})j";

constexpr std::string_view kFailing = R"j({"stages": [
  {"name": "build", "steps": [{"name": "do", "image": "bad-1", "script": "x"}]},
  {"name": "lint", "steps": [{"name": "do", "image": "good-1", "script": "x"}]},
  {"name": "ship", "needs": ["build"],
   "steps": [{"name": "do", "image": "good-1", "script": "x"}]}],
  "finally": [{"name": "tidy", "steps": [{"name": "do", "image": "good-1", "script": "x"}]}]})j";

constexpr std::string_view kRetried = R"j({"stages": [
  {"name": "build", "retry": {"attempts": 2, "classes": ["Test"]}, "results": [{"name": "digest"}],
   "steps": [{"name": "do", "image": "flaky-1", "script": "x"}]},
  {"name": "hog", "retry": {"attempts": 2, "classes": ["Test"]},
   "steps": [{"name": "do", "image": "oom-1", "script": "x"}]},
  {"name": "ship", "needs": ["build"],
   "steps": [{"name": "do", "image": "good-1", "script": "x"}]}]})j";

constexpr std::string_view kSlow = R"j({"stages": [
  {"name": "build", "results": [{"name": "digest"}],
   "steps": [{"name": "do", "image": "slow-1", "script": "x"}]},
  {"name": "test", "needs": ["build"],
   "steps": [{"name": "do", "image": "good-1", "script": "x"}]}],
  "finally": [{"name": "tidy", "steps": [{"name": "do", "image": "good-1", "script": "x"}]}]})j";

constexpr std::string_view kStubborn = R"j({"stages": [
  {"name": "build", "steps": [{"name": "do", "image": "stubborn-1", "script": "x"}]},
  {"name": "test", "needs": ["build"],
   "steps": [{"name": "do", "image": "good-1", "script": "x"}]}]})j";

constexpr std::string_view kQueued = R"j({"concurrency": {"group": "$(pipeline)"}, "stages": [
  {"name": "build", "steps": [{"name": "do", "image": "good-1", "script": "x"}]}]})j";

constexpr std::string_view kNewestOnly = R"j({
  "concurrency": {"group": "$(pipeline)", "policy": "CancelOld"}, "stages": [
  {"name": "build", "steps": [{"name": "do", "image": "hang-1", "script": "x"}]}]})j";

constexpr std::string_view kHanging = R"j({"stages": [
  {"name": "step", "steps": [{"name": "do", "image": "hang-1", "script": "x", "timeout": "5s"}]},
  {"name": "pod", "timeout": "10s",
   "steps": [{"name": "do", "image": "hang-1", "script": "x"}]}]})j";

constexpr std::string_view kFailFast = R"j({"stages": [
  {"name": "test", "steps": [{"name": "do", "image": "$(matrix.image)", "script": "x"}],
   "matrix": {"axes": [{"name": "image", "values": ["bad-1", "hang-1"]}]}}]})j";

}  // namespace

std::vector<Scenario> pipeline_scenarios() {
  const auto created = at(1, What::Create);
  return {
      {"pipeline-good", story(kGood, {created})},
      {"pipeline-two-instances", by_two(story(kGood, {created}))},
      {"pipeline-failing-with-finally", story(kFailing, {created})},
      {"pipeline-retry", story(kRetried, {created})},
      {"pipeline-storm", stormy(story(kGood, {created}))},
      {"pipeline-timeout", story(kHanging, {created})},
      {"pipeline-fail-fast", story(kFailFast, {created})},
      {"pipeline-cancelled-midway", story(kSlow, {created, at(7, What::Cancel)})},
      {"pipeline-stopped-midway", story(kSlow, {created, at(7, What::Stop)})},
      {"pipeline-cancelled-deaf", story(kStubborn, {created, at(7, What::Cancel)})},
      {"pipeline-deleted-midway",
       story(kSlow, {created, at(7, What::Delete), at(9, What::Create)})},
      {"pipeline-status-lost", story(kGood, {created, at(9, What::LoseStatus)})},
      {"pipeline-status-lost-retry", story(kRetried, {created, at(10, What::LoseStatus)})},
      {"pipeline-edited-midway", story(kSlow, {created, at(7, What::EditPipeline)})},
      {"pipeline-queue",
       story(kQueued, {created, at(2, What::Create, "two"), at(2, What::Create, "three")})},
      {"pipeline-newest-only",
       story(kNewestOnly, {created, at(6, What::Create, "two"), at(60, What::Cancel, "two")})},
      {"pipeline-job-deleted", story(kStubborn, {created, at(7, What::DeleteJob, "one", "build")})},
      {"pipeline-pod-deleted", story(kSlow, {created, at(7, What::DeletePod, "one", "build")})},
  };
}

}  // namespace weir::sim
