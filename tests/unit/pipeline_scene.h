// A run in a world without cluster: actions of plans are done to structs, Jobs end when the test says so.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/json.h"
#include "pipeline/run_plan.h"

namespace weir::pipeline_test {

// "<name>" → a stage with one step; `more` is JSON laid over it.
inline Json stage(const std::string& name, const std::string& more = "{}") {
  const Json step{{"name", "do"}, {"image", "tool:1"}, {"script", "make"}};
  Json json{{"name", name}, {"steps", Json::array({step})}};
  json.merge_patch(Json::parse(more));
  return json;
}

class World {
 public:
  explicit World(const Json& spec) { set_pipeline(spec); }

  void set_pipeline(const Json& spec) {
    const auto decoded = decode_pipeline(
        Json{{"metadata", {{"name", "shop"}, {"namespace", "ci"}, {"uid", "p"}}}, {"spec", spec}});
    pipeline = std::make_shared<Pipeline>(*decoded);
  }

  RunSnapshot snapshot() const {
    RunSnapshot s;
    s.run = std::make_shared<PipelineRun>(run);
    s.pipeline = pipeline;
    s.kept_spec = kept;
    for (const auto& [name, job] : jobs) s.jobs.push_back(std::make_shared<JobView>(job));
    for (const auto& [name, pod] : pods) s.pods.push_back(std::make_shared<StagePodView>(pod));
    s.others = others;
    return s;
  }

  Plan decide(const Error* refused = nullptr) const {
    return decide_run(snapshot(), settings, now, refused);
  }

  // Passes until nothing changes. `writes`: the process dies when they are used up (false).
  bool settle(int writes = 1000) {
    for (int pass = 0; pass < 50; ++pass) {
      const auto plan = decide();
      bool changed = false;
      for (const auto& action : plan.actions) {
        if (std::holds_alternative<RecordEvent>(action)) {
          events.push_back(std::get<RecordEvent>(action).reason);
          continue;
        }
        if (writes-- == 0) return false;
        act(action);
        changed = true;
      }
      if (!changed) return true;
    }
    ADD_FAILURE() << "never comes to rest";
    return false;
  }

  // The newest Job of a stage; fails when there is none.
  JobView& job(const std::string& name) {
    JobView* newest = nullptr;
    for (auto& [key, job] : jobs) {
      const auto& labels = job.meta.labels;
      if (labels.find(marks::kStage)->second != name) continue;
      if (!newest || attempt(job) > attempt(*newest)) newest = &job;
    }
    if (!newest) ADD_FAILURE() << "no Job of " << name;
    static JobView none;
    return newest ? *newest : none;
  }

  // All its steps passed.
  void pass(const std::string& name, const std::string& message = "") {
    end(job(name), 0, "Completed", message);
  }
  void pass_all() {
    for (auto& [key, job] : jobs)
      if (!job.is_quiet()) end(job, 0, "Completed", "");
  }
  void fail(const std::string& name, int code = 1, const std::string& reason = "Error") {
    end(job(name), code, reason, "");
  }
  // In a container that is none of its steps'.
  void fail_in(const std::string& name, const std::string& container, int code) {
    end(job(name), code, "Error", "", container);
  }
  // Its pod was taken away.
  void lose(const std::string& name) {
    auto& lost = job(name);
    lost.active = 0;
    lost.failed = now;
    lost.reason = "BackoffLimitExceeded";
  }

  void end(JobView& job, int code, const std::string& reason, const std::string& message,
           const std::string& container = "step-do") {
    job.active = 0;
    (code == 0 ? job.completed : job.failed) = now;
    if (code != 0) job.reason = "BackoffLimitExceeded";
    StagePodView pod;
    pod.meta.key = {"ci", job.meta.key.name + "-x"};
    pod.meta.owner_uid = job.meta.uid;
    (code == 0 ? pod.succeeded : pod.failed) = true;
    pod.containers = {
        {container, ContainerView::State::Ended, reason, message, code, std::nullopt, now}};
    pods[pod.meta.key.name] = pod;
  }

  const StageStatus& status(const std::string& name, const std::string& combination = "") const {
    for (const auto& stage : run.status.stages)
      if (stage.name == name && stage.combination == combination) return stage;
    ADD_FAILURE() << "no stage " << name << " " << combination;
    static const StageStatus none;
    return none;
  }
  std::string phase(const std::string& name, const std::string& combination = "") const {
    return std::string(to_string(status(name, combination).phase));
  }
  // "lint:Succeeded unit:Running "
  std::string phases() const {
    std::string all;
    for (const auto& stage : run.status.stages)
      all += stage.name + (stage.combination.empty() ? "" : "(" + stage.combination + ")") + ":" +
             std::string(to_string(stage.phase)) + " ";
    return all;
  }
  std::size_t live_jobs() const {
    std::size_t live = 0;
    for (const auto& [name, job] : jobs) live += job.is_quiet() ? 0 : 1;
    return live;
  }

  void act(const Action& action) {
    if (const auto* create = std::get_if<CreateObject>(&action)) {
      if (create->kind == kinds::kJob)
        make_job(*create);
      else if (const auto made = decode_kept_spec(create->body); kept.empty())
        kept = is_kept_for(*made, run) ? made->text : "";
    } else if (const auto* write = std::get_if<PatchStatus>(&action)) {
      run.status = decode_pipeline_run_status(write->status);
    } else if (const auto* patch = std::get_if<PatchObject>(&action)) {
      auto& stopped = jobs.at(patch->key.name);
      stopped.suspended = json_at(patch->body, {"spec", "suspend"}) == true;
      stopped.active = 0;
    }
  }

  JobSettings settings{"weir:1", "checkout:1"};
  PipelineRun run = first_run();
  std::shared_ptr<const Pipeline> pipeline;
  std::string kept;
  std::map<std::string, JobView> jobs;
  std::map<std::string, Json> bodies;
  std::map<std::string, StagePodView> pods;
  std::vector<std::shared_ptr<const PipelineRun>> others;
  std::vector<std::string> events;
  WallTime now{seconds(1'700'000'000)};

 private:
  static PipelineRun first_run() {
    PipelineRun run;
    run.meta.key = {"ci", "shop-1"};
    run.meta.uid = "uid-1";
    run.meta.created = WallTime{seconds(1'700'000'000)};
    run.meta.generation = 1;
    run.spec->pipeline = "shop";
    return run;
  }

  static int attempt(const JobView& job) {
    return std::stoi(job.meta.labels.find(marks::kAttempt)->second);
  }

  // Two live Jobs of one stage would do its work twice at once.
  void make_job(const CreateObject& create) {
    if (jobs.contains(create.key.name)) return;
    auto job = *decode_job(create.body);
    job.meta.uid = create.key.name + "-uid";
    job.meta.created = now;
    job.active = 1;
    for (const auto& [name, other] : jobs) {
      auto a = other.meta.labels;
      auto b = job.meta.labels;
      a.erase(std::string(marks::kAttempt));
      b.erase(std::string(marks::kAttempt));
      EXPECT_TRUE(other.is_quiet() || a != b) << name << " and " << create.key.name;
    }
    jobs[create.key.name] = job;
    bodies[create.key.name] = create.body;
  }
};

}  // namespace weir::pipeline_test
