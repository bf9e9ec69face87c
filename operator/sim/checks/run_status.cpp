// What the status of a run has told stays told: ends and results. It is bounded, and every run ends.
#include <fmt/format.h>

#include <map>

#include "pipeline/step_contract.h"
#include "sim/checks/run_graph.h"
#include "sim/world/pods.h"

namespace weir::sim {
namespace {

constexpr std::size_t kMaxStatus = 64U << 10U;  // bytes

// As long the operator waits for what a pod has told.
constexpr SimTime kWordsPatience = seconds(60);

using Results = std::map<std::string, std::string>;

class RunStatusCheck final : public Check {
 public:
  using Check::Check;

  void on_write(const Write& write) override {
    if (write.to(kPod) && !write.after.is_null() && is_of_job(write.after)) see_pod(write.after);
    if (!write.to(kinds::kPipelineRun) || write.after.is_null()) return;
    auto& told = told_[json_text(write.after, {"metadata", "uid"})];
    const Json& status = json_at(write.after, {"status"});
    if (status.is_null()) told = {};
    if (!write.by_operator()) return;
    // An older one that was on its way for long undoes what came between; the next pass tells it again.
    const bool late = write.author.sent < told.since;
    auto now = decode_pipeline_run_status(status);
    if (!late) compare(write.ref.key.name, told.status, now);
    const auto size = dump_json(status).size();
    if (size > kMaxStatus)
      court_.fail("a status is bounded", fmt::format("{} bytes, at most {}", size, kMaxStatus));
    told = {court_.now(), std::move(now)};
  }

  void at_end() override {
    for (const auto& run : court_.world.scene().server.all(kinds::kPipelineRun)) {
      const auto status = decode_pipeline_run_status(json_at(*run, {"status"}));
      if (!has_ended(status.phase))
        court_.fail("every run ends", fmt::format("{} is {}: {}", key_of(*run).name,
                                                  to_string(status.phase), status.message));
    }
  }

 private:
  struct Told {
    SimTime since{0};
    PipelineRunStatus status{};
  };

  // Of a pod whose steps have all passed.
  void see_pod(const Json& pod) {
    if (json_text(pod, {"status", "phase"}) != "Succeeded") return;
    auto& results = written_[json_text(pod, {"metadata", "labels", kJobName})];
    for (const auto& container : json_at(pod, {"status", "initContainerStatuses"})) {
      const auto text = json_text(container, {"state", "terminated", "message"});
      for (const auto& [name, value] : decode_step_message(text).results) results[name] = value;
    }
  }

  void compare(const std::string& run, const PipelineRunStatus& before,
               const PipelineRunStatus& now) const {
    if (has_ended(before.phase) && before.phase != now.phase)
      court_.fail("an end is an end", fmt::format("{} was {} and is {}", run,
                                                  to_string(before.phase), to_string(now.phase)));
    for (const auto& stage : now.stages) check_results(stage);
    for (const auto& was : before.stages) {
      const auto* is = find(now, was);
      const auto name = fmt::format("{} {} {}", run, was.name, was.combination);
      if (has_ended(was.phase) && (!is || is->phase != was.phase))
        court_.fail("an end is an end",
                    fmt::format("{} was {} and is {}", name, to_string(was.phase),
                                is ? to_string(is->phase) : "gone"));
      if (!was.results.empty() && (!is || is->results != was.results))
        court_.fail("no result is lost", name + " has others");
    }
  }

  static const StageStatus* find(const PipelineRunStatus& status, const StageStatus& wanted) {
    for (const auto& stage : status.stages)
      if (stage.name == wanted.name && stage.combination == wanted.combination) return &stage;
    return nullptr;
  }

  void check_results(const StageStatus& stage) const {
    const auto written = written_.find(stage.job);
    if (stage.phase != StagePhase::Succeeded || written == written_.end()) return;
    if (court_.staleness() >= kWordsPatience) return;
    if (stage.results != written->second)
      court_.fail("no result is lost",
                  fmt::format("{} {} has succeeded with {} results, its pod wrote {}", stage.name,
                              stage.combination, stage.results.size(), written->second.size()));
  }

  std::map<std::string, Told> told_;        // by uid of the run
  std::map<std::string, Results> written_;  // by name of the Job
};

}  // namespace

std::unique_ptr<Check> check_run_status(const Court& court) {
  return std::make_unique<RunStatusCheck>(court);
}

}  // namespace weir::sim
