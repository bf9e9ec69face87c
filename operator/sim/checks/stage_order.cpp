// No stage before what it needs, none that its run did not begin with, none after a cancel.
#include <fmt/format.h>

#include <map>
#include <set>

#include "api/stage_graph.h"
#include "pipeline/stage_job.h"
#include "sim/checks/run_graph.h"

namespace weir::sim {
namespace {

class StageOrderCheck final : public Check {
 public:
  using Check::Check;

  void on_write(const Write& write) override {
    if (write.to(kinds::kPipelineRun) && !write.after.is_null()) see_run(write);
    if (!write.to(kinds::kJob) || write.after.is_null()) return;
    if (has_condition(write.after, "Complete")) succeeded_.insert(stage_of(write.after));
    if (!write.before.is_null()) return;
    made_[stage_of(write.after)] = court_.now();
    if (write.by_operator()) check_begin(write);
  }

 private:
  struct Course {
    std::string state;  // "" = Running
    std::string reason;
    SimTime since{0};
  };

  void see_run(const Write& write) {
    const auto uid = json_text(write.after, {"metadata", "uid"});
    const auto wanted = json_text(write.after, {"spec", "desiredState"});
    if (wanted != ordered_[uid].state) ordered_[uid] = {wanted, "", court_.now()};
    const Json& status = json_at(write.after, {"status"});
    const auto course = json_text(status, {"course"});
    if (course != told_[uid].state)
      told_[uid] = {course, json_text(status, {"reason"}), court_.now()};
  }

  void check_begin(const Write& write) {
    const auto key = stage_of(write.after);
    const auto graph = graph_of(court_.world.scene().server, key.run);
    if (!graph) return;
    const auto* stage = stage_in(graph->stages, key.stage);
    const auto* final = stage_in(graph->finally, key.stage);
    if (!stage && !final) {
      court_.fail("a run goes through what it began with", key.stage + " is none of it");
      return;
    }
    check_orders(key, final != nullptr, write.author.sent);
    if (final) return check_all_have_ended(*graph, key, write.author.sent);
    for (const auto& name : stages_before(*stage))
      if (const auto* before = stage_in(graph->stages, name)) check_need(key, *before);
  }

  // Acknowledged, or given long enough ago to be known.
  void check_orders(const StageKey& key, bool final, SimTime sent) {
    const auto ends = [final](const Course& course) {
      return final ? course.state == "Cancelled" && course.reason != "TimedOut"
                   : course.state == "Cancelled" || course.state == "Stopped";
    };
    const auto& told = told_[key.run];
    const auto& ordered = ordered_[key.run];
    if (ends(told) && sent > told.since)
      court_.fail("none begins after a cancel", key.stage + " does, and status tells of it");
    if (ends(ordered) && sent > ordered.since + court_.staleness())
      court_.fail("none begins after a cancel", key.stage + " does");
  }

  void check_need(const StageKey& key, const weir::Stage& before) const {
    for (const auto& combination : combinations(before.matrix.value_or(Matrix{}))) {
      const StageKey need{key.run, before.name, combination_label(to_string(combination))};
      // One that is passed over has no Job; that it did not fail is told by its own course.
      const bool good = before.when.empty() ? succeeded_.count(need) != 0 : !lives(need);
      if (!good)
        court_.fail("no stage before what it needs",
                    fmt::format("{} begins before {}", key.stage, before.name));
    }
  }

  bool lives(const StageKey& stage) const {
    for (const auto& job : court_.world.scene().server.all(kinds::kJob))
      if (stage_of(*job) == stage && is_live(*job)) return true;
    return false;
  }

  // But for a Job that who sent this could not know of: of a write whose answer was lost.
  void check_all_have_ended(const PipelineSpec& graph, const StageKey& key, SimTime sent) const {
    for (const auto& job : court_.world.scene().server.all(kinds::kJob)) {
      const auto other = stage_of(*job);
      const auto made = made_.find(other);
      const bool known = made != made_.end() && made->second + court_.staleness() < sent;
      if (other.run == key.run && known && is_live(*job) && stage_in(graph.stages, other.stage))
        court_.fail("finally comes when all others have ended",
                    fmt::format("{} begins while {} runs", key.stage, other.stage));
    }
  }

  std::set<StageKey> succeeded_;
  std::map<StageKey, SimTime> made_;       // the newest Job
  std::map<std::string, Course> told_;     // by uid of the run
  std::map<std::string, Course> ordered_;  // by people
};

}  // namespace

std::unique_ptr<Check> check_stage_order(const Court& court) {
  return std::make_unique<StageOrderCheck>(court);
}

}  // namespace weir::sim
