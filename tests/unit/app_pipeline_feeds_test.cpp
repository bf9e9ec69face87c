// From objects on a watch to plans: feeds, caches, observer and reconcilers of pipelines together.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "app/pipeline_feeds.h"
#include "pipeline/pipeline_reconciler.h"
#include "pipeline/run_reconciler.h"

namespace weir {
namespace {

const WallTime kNow{seconds(1'700'000'000)};

Json object(const std::string& name, Json spec) {
  static int version = 100;
  return Json{{"metadata",
               {{"name", name},
                {"namespace", "ci"},
                {"uid", name + "-uid"},
                {"generation", 1},
                {"creationTimestamp", "2023-11-14T22:13:20Z"},
                {"resourceVersion", std::to_string(++version)}}},
              {"spec", std::move(spec)}};
}

Json pipeline(const std::string& more = "{}") {
  Json spec = Json::parse(R"({"stages": [{"name": "unit",
      "steps": [{"name": "do", "image": "a:1", "script": "make"}]}]})");
  spec.merge_patch(Json::parse(more));
  return object("shop", std::move(spec));
}

Json run(const std::string& name, const std::string& phase = "") {
  auto json = object(name, Json::parse(R"({"pipelineRef": {"name": "shop"}})"));
  if (!phase.empty()) json["status"] = {{"phase", phase}, {"ended", "2023-11-14T22:13:20Z"}};
  return json;
}

class PipelineWatches : public testing::Test {
 protected:
  void put(const Kind& kind, const Json& json) {
    for (const auto& feed : feeds_.all())
      if (feed.kind == kind) feed.sink->put(json);
  }
  void erase(const Kind& kind, const Json& json) {
    for (const auto& feed : feeds_.all())
      if (feed.kind == kind) feed.sink->erase(json);
  }
  // Those queued since the last call.
  std::set<std::string> woken() { return std::exchange(runs_, {}); }
  bool pipeline_woken() { return std::exchange(pipelines_, {}).contains("ci/shop"); }

  Plan plan_run(const std::string& name) const {
    return runs_reconciler_.plan({"ci", name}, kNow, nullptr);
  }
  Plan plan_pipeline() const { return pipeline_reconciler_.plan({"ci", "shop"}, kNow, nullptr); }

  template <typename T>
  static std::vector<T> all(const Plan& plan) {
    std::vector<T> found;
    for (const auto& action : plan.actions)
      if (const auto* one = std::get_if<T>(&action)) found.push_back(*one);
    return found;
  }

  // As the server would answer our writes.
  void take(const Plan& plan) {
    for (const auto& create : all<CreateObject>(plan)) {
      auto json = create.body;
      json["metadata"]["uid"] = create.key.name + "-uid";
      json["metadata"]["resourceVersion"] = "5000";
      feeds_.put_own(create.kind, json);
    }
    for (const auto& write : all<PatchStatus>(plan)) {
      auto json = run(write.key.name);
      json["status"] = write.status;
      json["metadata"]["resourceVersion"] = "5001";
      feeds_.put_own(write.kind, json);
    }
  }

  std::set<std::string> runs_;
  std::set<std::string> pipelines_;
  PipelineCaches caches_;
  PipelineFeeds feeds_{caches_, [this](const ObjectKey& key) { runs_.insert(key.name); },
                       [this](const ObjectKey& key) { pipelines_.insert(to_string(key)); }};
  RunObserver observer_{caches_};
  RunReconciler runs_reconciler_{observer_, {"weir:1"}};
  PipelineReconciler pipeline_reconciler_{caches_};
};

TEST_F(PipelineWatches, ARunKeepsItsSpecAndThenBegins) {
  put(kinds::kPipeline, pipeline());
  put(kinds::kPipelineRun, run("shop-1"));
  EXPECT_EQ(woken(), std::set<std::string>{"shop-1"});
  const auto first = plan_run("shop-1");
  ASSERT_EQ(all<CreateObject>(first).size(), 1U);
  EXPECT_EQ(all<CreateObject>(first)[0].kind, kinds::kControllerRevision);
  take(first);
  const auto second = plan_run("shop-1");
  ASSERT_EQ(all<CreateObject>(second).size(), 1U);
  EXPECT_EQ(all<CreateObject>(second)[0].kind, kinds::kJob);
  take(second);
  EXPECT_TRUE(all<CreateObject>(plan_run("shop-1")).empty()) << "its own writes are seen at once";
  put(kinds::kPipeline, pipeline(R"({"stages": []})"));
  EXPECT_TRUE(all<CreateObject>(plan_run("shop-1")).empty());
}

TEST_F(PipelineWatches, WhatARunOwnsWakesIt) {
  Json job = object("j", Json::object());
  job["metadata"]["labels"] = {{marks::kRun, "shop-1"}};
  for (const auto& kind :
       {kinds::kJob, Kind{"", "v1", "Pod", "pods"}, kinds::kControllerRevision}) {
    put(kind, job);
    EXPECT_EQ(woken(), std::set<std::string>{"shop-1"}) << kind.name;
  }
  erase(kinds::kJob, job);
  EXPECT_EQ(woken(), std::set<std::string>{"shop-1"});
}

TEST_F(PipelineWatches, ARunThatBeginsOrEndsWakesThoseThatWait) {
  put(kinds::kPipelineRun, run("shop-1", "Running"));
  put(kinds::kPipelineRun, run("shop-2", "Queued"));
  put(kinds::kPipelineRun, run("shop-3", "Succeeded"));
  woken();
  pipeline_woken();
  put(kinds::kPipelineRun, run("shop-1", "Succeeded"));
  EXPECT_EQ(woken(), (std::set<std::string>{"shop-1", "shop-2"}));
  EXPECT_TRUE(pipeline_woken()) << "there may be one too many now";
  put(kinds::kPipelineRun, run("shop-1", "Succeeded"));
  EXPECT_EQ(woken(), std::set<std::string>{"shop-1"}) << "nothing has changed for the others";
}

// Found by the simulator: the watch brings an end of our own when the cache has it already.
TEST_F(PipelineWatches, ARunThatOurOwnWriteEndsWakesThoseThatWait) {
  put(kinds::kPipelineRun, run("shop-1", "Running"));
  put(kinds::kPipelineRun, run("shop-2", "Queued"));
  woken();
  pipeline_woken();
  feeds_.put_own(kinds::kPipelineRun, run("shop-1", "Succeeded"));
  EXPECT_TRUE(woken().contains("shop-2"));
  EXPECT_TRUE(pipeline_woken());
}

TEST_F(PipelineWatches, APipelineSaysWhetherItCanBeRunAndKeepsSoManyRuns) {
  put(kinds::kPipeline, pipeline(R"({"retention": {"runs": 1}})"));
  for (const auto* name : {"shop-1", "shop-2", "shop-3"})
    put(kinds::kPipelineRun, run(name, "Succeeded"));
  const auto plan = plan_pipeline();
  ASSERT_EQ(all<PatchStatus>(plan).size(), 1U);
  const auto status = all<PatchStatus>(plan)[0].status;
  EXPECT_EQ(json_text(status, {"conditions"}), "");
  EXPECT_EQ(status.at("conditions").at(0).at("status"), "True");
  EXPECT_EQ(all<DeleteObject>(plan).size(), 2U);
  EXPECT_EQ(all<DeleteObject>(plan)[0].uid, all<DeleteObject>(plan)[0].key.name + "-uid");
  put(kinds::kPipeline, pipeline(R"({"stages": []})"));
  const auto bad = plan_pipeline();
  EXPECT_EQ(all<PatchStatus>(bad)[0].status.at("conditions").at(0).at("message"),
            "spec.stages: found [], must be a list of 1 to 50 items");
  EXPECT_TRUE(all<DeleteObject>(bad).empty());
}

TEST_F(PipelineWatches, WhatIsBeingDeletedIsLeftAlone) {
  put(kinds::kPipeline, pipeline());
  auto going = run("shop-1");
  going["metadata"]["deletionTimestamp"] = "2023-11-14T22:13:20Z";
  put(kinds::kPipelineRun, going);
  EXPECT_TRUE(plan_run("shop-1").actions.empty());
  EXPECT_TRUE(plan_run("nobody").actions.empty());
}

}  // namespace
}  // namespace weir
