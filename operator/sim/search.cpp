#include "sim/search.h"

#include <fmt/format.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/json.h"
#include "base/mutex.h"
#include "base/sim_point.h"
#include "sim/branches.h"
#include "sim/end.h"
#include "sim/healthy.h"
#include "stats/intervals.h"

namespace weir::sim {
namespace {

constexpr double kLimitIsWrong = 0.001;

double hours(SimTime span) { return std::chrono::duration<double, std::ratio<3600>>(span).count(); }

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
    report_.simulated_hours += hours(result.simulated);
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
  if (planned.late_event != 0) return fmt::format(" --late {}", planned.late_event);
  if (planned.at_write == 0) return "";
  return fmt::format(" --{} {}", kAtWriteFlags[static_cast<std::size_t>(planned.what)],
                     planned.at_write);
}

// What a branch says of its run, and what its original makes of that.
std::string to_word(const RunResult& result) {
  Json violations = Json::array();
  for (const auto& violation : result.violations)
    violations.push_back({violation.rule, violation.what});
  return dump_json({{"violations", violations},
                    {"simulated", result.simulated.count()},
                    {"reached", points_reached()}});
}

RunResult from_word(const BranchEnd& end) {
  RunResult result;
  const auto word = parse_json(end.said);
  if (!end.trouble.empty() || !word) {
    result.violations.push_back({"a run comes to its end", end.trouble});
    return result;
  }
  for (const auto& violation : (*word)["violations"])
    result.violations.push_back({violation[0].get<std::string>(), violation[1].get<std::string>()});
  result.simulated = SimTime((*word)["simulated"].get<std::int64_t>());
  add_points_reached((*word)["reached"].get<std::string>());
  return result;
}

// One run of a scenario; where a fault can strike, a branch for each fault goes on from there with it.
class Exhaustion {
 public:
  Exhaustion(const Scenario& scenario, int jobs, Bug bug, std::size_t most_findings)
      : scenario_(scenario),
        options_(options_of(scenario, {}, false, bug)),
        undisturbed_(simulate(options_)),
        most_findings_(most_findings),
        branches_(jobs, [this](const BranchEnd& end) { add(end.index, from_word(end)); }) {
    options_.planned.on_place = [this](auto place, auto& planned) { pass(place, planned); };
    options_.on_end = [this](auto& result) {
      if (is_branch_) leave(result);
    };
  }

  SearchReport run() {
    faults_.emplace_back();
    auto result = compared(options_, undisturbed_);
    branches_.join();
    add(0, std::move(result));
    for (auto& [index, finding] : findings_) report_.findings.push_back(std::move(finding));
    return std::move(report_);
  }

 private:
  void pass(PlannedFault::Place place, PlannedFault& planned) {
    if (is_branch_) return;
    PlannedFault fault;
    if (place == PlannedFault::Place::Delivery) {
      fault.late_event = planned.events;
      branch_off(fault, planned);
      return;
    }
    fault.at_write = planned.writes;
    for (const auto what : {PlannedFault::AtWrite::CrashBefore, PlannedFault::AtWrite::CrashAfter,
                            PlannedFault::AtWrite::AnswerLost, PlannedFault::AtWrite::Late}) {
      fault.what = what;
      if (!is_branch_) branch_off(fault, planned);
    }
  }

  // Before its world is taken down, which would copy each page of it only to free it.
  [[noreturn]] void leave(RunResult& result) const {
    if (result.violations.empty()) compare_ends(result, undisturbed_);
    branches_.leave(to_word(result));
  }

  void branch_off(const PlannedFault& fault, PlannedFault& planned) {
    if (findings_.size() >= most_findings_) return;
    faults_.push_back(fault);
    is_branch_ = branches_.branch(faults_.size() - 1);
    if (!is_branch_) return;
    planned.what = fault.what;
    planned.at_write = fault.at_write;
    planned.late_event = fault.late_event;
  }

  void add(std::size_t index, RunResult result) {
    ++report_.runs;
    report_.simulated_hours += hours(result.simulated);
    if (result.violations.empty()) return;
    auto replay = fmt::format("--scenario {}{}", scenario_.name, name_of(faults_[index]));
    findings_.emplace(index, Finding{std::move(replay), std::move(result)});
  }

  const Scenario& scenario_;
  RunOptions options_;
  const RunResult undisturbed_;
  const std::size_t most_findings_;
  std::vector<PlannedFault> faults_;  // by the index of their branch; the first is none
  bool is_branch_ = false;
  SearchReport report_;
  std::map<std::size_t, Finding> findings_;
  Branches branches_;
};

}  // namespace

SearchReport sweep(const SweepRequest& request) {
  const auto task = [&request](std::size_t index) {
    const SeedRequest seed{request.first + index, false, false, request.bug, request.pipelines};
    const std::string_view flag = request.pipelines ? "pipelines" : "seeds";
    return Task{fmt::format("--{} {}", flag, seed.seed), [seed] { return run_seed(seed); }};
  };
  return Crew(request.last - request.first + 1, task, request.most_findings).work(request.jobs);
}

HealthyReport sweep_healthy(const SweepRequest& request) {
  std::atomic<int> released = 0;
  const auto task = [&](std::size_t index) {
    const auto seed = request.first + index;
    return Task{fmt::format("--healthy {}", seed), [seed, bug = request.bug, &released] {
                  const auto options = options_of_healthy_seed(seed, bug);
                  auto result = simulate(options);
                  if (is_released(result)) ++released;
                  return result;
                }};
  };
  const auto runs = request.last - request.first + 1;
  auto found = Crew(runs, task, runs).work(request.jobs);
  HealthyReport report;
  report.runs = found.runs;
  report.released = released;
  report.simulated_hours = found.simulated_hours;
  for (auto& finding : found.findings) {
    const bool is_false_rollback = finding.result.violations.front().rule == kGoodStays;
    (is_false_rollback ? report.taken_back : report.findings).push_back(std::move(finding));
  }
  report.allowed = JudgeSettings{}.max_false_rollback;
  const auto taken_back = static_cast<int>(report.taken_back.size());
  report.least = least_chance(taken_back, report.runs, kLimitIsWrong).value();
  return report;
}

SearchReport exhaust(const Scenario& scenario, int jobs, Bug bug, std::size_t most_findings) {
  return Exhaustion(scenario, jobs, bug, most_findings).run();
}

RunResult run_scenario(const Scenario& scenario, const PlannedFault& planned, bool traced,
                       Bug bug) {
  const auto undisturbed = simulate(options_of(scenario, {}, false, bug));
  return compared(options_of(scenario, planned, traced, bug), undisturbed);
}

}  // namespace weir::sim
