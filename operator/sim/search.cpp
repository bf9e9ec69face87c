#include "sim/search.h"

#include <fmt/format.h>

#include <atomic>
#include <thread>

#include "base/mutex.h"
#include "sim/end.h"

namespace weir::sim {
namespace {

struct Task {
  std::string replay;
  std::function<RunResult()> run;
};

// Runs tasks on threads; findings come out in the order of the tasks.
class Crew {
 public:
  Crew(std::size_t tasks, std::function<Task(std::size_t)> task, std::size_t most_findings)
      : tasks_(tasks), task_(std::move(task)), most_findings_(most_findings) {}

  SearchReport work(int jobs) {
    std::vector<std::jthread> threads;
    for (int i = 1; i < jobs; ++i) threads.emplace_back([this] { work_one(); });
    work_one();
    threads.clear();
    Lock lock(mutex_);
    for (auto& [index, finding] : findings_) report_.findings.push_back(std::move(finding));
    return std::move(report_);
  }

 private:
  void work_one() {
    for (auto i = next_++; i < tasks_ && !enough_; i = next_++) {
      const Task task = task_(i);
      add(i, task.replay, task.run());
    }
  }

  void add(std::size_t index, const std::string& replay, RunResult result) {
    Lock lock(mutex_);
    ++report_.runs;
    report_.simulated_hours +=
        std::chrono::duration<double, std::ratio<3600>>(result.simulated).count();
    if (result.violations.empty()) return;
    findings_.emplace(index, Finding{replay, std::move(result)});
    if (findings_.size() >= most_findings_) enough_ = true;
  }

  const std::size_t tasks_;
  const std::function<Task(std::size_t)> task_;
  const std::size_t most_findings_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> enough_ = false;
  Mutex mutex_;
  SearchReport report_ GUARDED_BY(mutex_);
  std::map<std::size_t, Finding> findings_ GUARDED_BY(mutex_);
};

RunOptions options_of(const Scenario& scenario, const PlannedFault& planned, bool traced, Bug bug) {
  RunOptions options = scenario.options;
  options.planned = planned;
  options.traced = traced;
  options.bug = bug;
  return options;
}

RunResult compared(const RunOptions& options, const RunResult& undisturbed) {
  RunResult result = simulate(options);
  if (result.violations.empty()) compare_ends(result, undisturbed);
  return result;
}

std::string name_of(const PlannedFault& planned) {
  if (planned.late_event != 0) return fmt::format("--late {}", planned.late_event);
  if (planned.at_write == 0) return "";
  return fmt::format("--{} {}", kAtWriteFlags[static_cast<std::size_t>(planned.what)],
                     planned.at_write);
}

std::vector<PlannedFault> all_places(const PlannedFault& counted) {
  std::vector<PlannedFault> places(1);
  for (int write = 1; write <= counted.writes; ++write) {
    for (const auto what : {PlannedFault::AtWrite::CrashBefore, PlannedFault::AtWrite::CrashAfter,
                            PlannedFault::AtWrite::AnswerLost}) {
      PlannedFault planned;
      planned.what = what;
      planned.at_write = write;
      places.push_back(planned);
    }
  }
  for (int event = 1; event <= counted.events; ++event) {
    PlannedFault planned;
    planned.late_event = event;
    places.push_back(planned);
  }
  return places;
}

}  // namespace

SearchReport sweep(const SweepRequest& request) {
  const auto task = [&request](std::size_t index) {
    const SeedRequest seed{request.first + index, false, false, request.bug};
    return Task{fmt::format("--seeds {}", seed.seed), [seed] { return run_seed(seed); }};
  };
  return Crew(request.last - request.first + 1, task, request.most_findings).work(request.jobs);
}

SearchReport exhaust(const Scenario& scenario, int jobs, Bug bug, std::size_t most_findings) {
  const auto undisturbed = simulate(options_of(scenario, {}, false, bug));
  const auto places = all_places(undisturbed.planned);
  const auto task = [&](std::size_t index) {
    const auto& planned = places[index];
    return Task{fmt::format("--scenario {} {}", scenario.name, name_of(planned)),
                [&] { return compared(options_of(scenario, planned, false, bug), undisturbed); }};
  };
  return Crew(places.size(), task, most_findings).work(jobs);
}

RunResult run_scenario(const Scenario& scenario, const PlannedFault& planned, bool traced,
                       Bug bug) {
  const auto undisturbed = simulate(options_of(scenario, {}, false, bug));
  return compared(options_of(scenario, planned, traced, bug), undisturbed);
}

}  // namespace weir::sim
