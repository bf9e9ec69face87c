// One live Job for each stage of a run, and no pod of it beside another; none for a run that has ended.
#include <fmt/format.h>

#include <map>

#include "sim/checks/run_graph.h"
#include "sim/world/pods.h"

namespace weir::sim {
namespace {

class StageJobsCheck final : public Check {
 public:
  using Check::Check;

  void on_write(const Write& write) override {
    if (!write.before.is_null()) return;
    if (write.to(kinds::kJob)) see_job(write);
    if (write.to(kPod) && is_of_job(write.after)) see_pod(write.after);
  }

  void at_end() override {
    const auto& server = court_.world.scene().server;
    for (const auto& job : server.all(kinds::kJob)) {
      const ObjectKey run{json_text(*job, {"metadata", "namespace"}),
                          json_text(*job, {"metadata", "labels", marks::kRun})};
      const Json* owner = server.find(kinds::kPipelineRun, run);
      if (is_live(*job) && owner && !json_at(*owner, {"status", "ended"}).is_null())
        court_.fail("no Job outlives its run", json_text(*job, {"metadata", "name"}));
    }
  }

 private:
  struct Made {
    StageKey stage;
    SimTime sent{0};
  };

  void see_job(const Write& write) {
    const auto stage = stage_of(write.after);
    made_[json_text(write.after, {"metadata", "uid"})] = {stage, write.author.sent};
    for (const auto& job : court_.world.scene().server.all(kinds::kJob)) {
      const auto name = json_text(*job, {"metadata", "name"});
      if (name != write.ref.key.name && stage_of(*job) == stage && is_live(*job))
        court_.fail("one live Job for each stage",
                    fmt::format("{} begins beside {}", write.ref.key.name, name));
    }
  }

  // A pod that its Job's maker could not know of yet is not held against it.
  void see_pod(const Json& pod) {
    const auto& mine = maker_of(pod);
    created_[json_text(pod, {"metadata", "uid"})] = court_.now();
    for (const auto& other : court_.world.scene().server.all(kPod)) {
      const bool same = key_of(*other) == key_of(pod);
      if (same || !is_of_job(*other) || is_over(*other) || maker_of(*other).stage != mine.stage)
        continue;
      const auto since = created_[json_text(*other, {"metadata", "uid"})];
      if (owner_uids(*other) == owner_uids(pod) || since + court_.staleness() < mine.sent)
        court_.fail("no two live pods of one stage",
                    fmt::format("{} begins beside {}", key_of(pod).name, key_of(*other).name));
    }
  }

  const Made& maker_of(const Json& pod) { return made_[owner_uids(pod).front()]; }

  std::map<std::string, Made> made_;        // by uid of the Job
  std::map<std::string, SimTime> created_;  // by uid of the pod
};

}  // namespace

std::unique_ptr<Check> check_stage_jobs(const Court& court) {
  return std::make_unique<StageJobsCheck>(court);
}

}  // namespace weir::sim
