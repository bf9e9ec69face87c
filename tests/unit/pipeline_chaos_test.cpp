// Runs in a world where anything may happen at any time: what must hold holds, and every run ends.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "unit/pipeline_scene.h"

namespace weir::pipeline_test {
namespace {

constexpr int kSeeds = 60;
constexpr int kTurns = 40;

class Chaos {
 public:
  explicit Chaos(unsigned seed) : random_(seed), world_(pipeline()) {}

  void play() {
    for (int turn = 0; turn < kTurns && !over(); ++turn) {
      disturb();
      // Dies after so many writes, or comes to rest.
      if (chance(3)) world_.settle(static_cast<int>(pick(4)));
      settle();
    }
    come_to_rest();
  }

 private:
  std::size_t pick(std::size_t count) { return random_() % count; }
  bool chance(std::size_t one_in) { return pick(one_in) == 0; }
  bool over() const { return has_ended(world_.run.status.phase); }

  // Up to six stages, each of which needs some of those before it.
  Json pipeline() {
    Json stages = Json::array();
    const auto count = 1 + pick(6);
    for (std::size_t i = 0; i < count; ++i) {
      Json more = Json::object();
      for (std::size_t before = 0; before < i; ++before)
        if (chance(2)) more["needs"].push_back("s" + std::to_string(before));
      if (chance(3)) more["retry"] = Json::parse(R"({"attempts": 3, "classes": ["Test"]})");
      if (chance(5)) more["restartable"] = false;
      if (chance(4))
        more["matrix"] = Json::parse(R"({"axes": [{"name": "v", "values": ["1", "2", "3"]}],
                                         "maxParallel": 2})");
      const auto name = "s" + std::to_string(i);
      needs_[name] = more.value("needs", Json::array()).get<std::vector<std::string>>();
      stages.push_back(stage(name, dump_json(more)));
    }
    Json spec{{"stages", stages}, {"timeout", "3h"}};
    if (chance(2)) spec["finally"] = Json::array({stage("last")});
    return spec;
  }

  // A Job that lives; null: none does.
  JobView* living() {
    std::vector<JobView*> all;
    for (auto& [name, job] : world_.jobs)
      if (!job.is_quiet()) all.push_back(&job);
    return all.empty() ? nullptr : all[pick(all.size())];
  }

  void disturb() {
    world_.now += seconds(static_cast<long>(pick(120)));
    if (chance(40)) world_.run.spec->desired_state = DesiredState::Cancelled;
    if (chance(40) && world_.run.spec->desired_state == DesiredState::Running)
      world_.run.spec->desired_state = DesiredState::Stopped;
    auto* job = living();
    if (!job) return;
    const auto what = pick(10);
    if (what < 5) return world_.end(*job, 0, "Completed", "");
    if (what < 7) return world_.end(*job, 1, "Error", "");
    if (what == 7) {
      job->active = 0;
      job->failed = world_.now;
      job->reason = "BackoffLimitExceeded";  // its pod was taken away
    }
    if (what == 8) {
      const auto name = job->meta.key.name;
      world_.pods.erase(name + "-x");
      world_.jobs.erase(name);
    }
  }

  void settle() {
    ASSERT_TRUE(world_.settle());
    std::map<std::string, bool> ended;
    for (const auto& stage : world_.run.status.stages) {
      const auto before = ended.try_emplace(stage.name, true).first;
      before->second = before->second && has_ended(stage.phase);
    }
    const bool cancelled = world_.run.status.course == DesiredState::Cancelled;
    for (const auto& [name, job] : world_.jobs) {
      if (!seen_.insert(name).second) continue;
      EXPECT_FALSE(cancelled) << name << " began after the run was cancelled";
      for (const auto& need : needs_[job.meta.labels.find(marks::kStage)->second])
        EXPECT_TRUE(ended[need]) << name << " began before " << need << " had ended";
    }
  }

  void come_to_rest() {
    for (int turn = 0; turn < 100 && !over(); ++turn) {
      world_.pass_all();
      world_.now += minutes(6);
      settle();
    }
    EXPECT_TRUE(over()) << world_.phases();
    EXPECT_EQ(world_.live_jobs(), 0U);
    for (const auto& stage : world_.run.status.stages) EXPECT_TRUE(has_ended(stage.phase));
    const auto end = world_.run.status;
    world_.run.spec->desired_state = DesiredState::Cancelled;
    world_.now += hours(24);
    EXPECT_TRUE(world_.decide().actions.empty()) << "what has ended stays as it is";
    EXPECT_EQ(world_.run.status, end);
  }

  using minutes = std::chrono::minutes;
  using hours = std::chrono::hours;
  std::mt19937 random_;
  std::map<std::string, std::vector<std::string>> needs_;
  World world_;
  std::set<std::string> seen_;
};

TEST(PipelineChaos, WhateverHappensNoJobIsTwiceNoneIsEarlyAndEveryRunEnds) {
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    Chaos(seed).play();
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace weir::pipeline_test
