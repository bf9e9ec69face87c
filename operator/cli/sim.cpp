#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <ostream>

#include "base/clock.h"
#include "base/sim_point.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "sim/healthy.h"
#include "sim/search.h"

namespace weir {
namespace {

using sim::Bug;
using sim::Scenario;

constexpr std::size_t kLastLines = 14;        // of a violating run, without --trace
constexpr std::uint64_t kSeedsForBugs = 300;  // each planted bug is found within these
constexpr std::size_t kMostFindings = 100;    // of seeds, then it stops
constexpr std::size_t kMostReplays = 5;       // of false rollbacks that are told

struct Seeds {
  std::uint64_t first = 1;
  std::uint64_t last = 100;
};

// "7" or "1..1000".
std::optional<Seeds> parse_seeds(const std::string& text) {
  Seeds seeds;
  const char* end = text.data() + text.size();
  auto read = std::from_chars(text.data(), end, seeds.first);
  if (read.ec != std::errc()) return std::nullopt;
  seeds.last = seeds.first;
  if (read.ptr == end) return seeds;
  if (end - read.ptr < 3 || read.ptr[0] != '.' || read.ptr[1] != '.') return std::nullopt;
  read = std::from_chars(read.ptr + 2, end, seeds.last);
  if (read.ec != std::errc() || read.ptr != end || seeds.last < seeds.first) return std::nullopt;
  return seeds;
}

std::optional<int> parse_count(const std::string& text) {
  int count = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), count);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || count < 1)
    return std::nullopt;
  return count;
}

struct Request {
  std::ostream& out;
  Seeds seeds{};
  int jobs = 1;
  bool traced = false;
  bool without_faults = false;
  bool exhaustive = false;
  bool healthy = false;
  bool pipelines = false;
  bool bugs = false;
  bool coverage = false;
  Bug bug = Bug::None;
  const Scenario* scenario = nullptr;
  sim::PlannedFault planned{};
};

Error wrong(std::string_view flag, std::string_view allowed) {
  return {ErrorKind::Invalid, fmt::format("--{}: must be {}", flag, allowed)};
}

Result<Request> read_numbers(const Arguments& arguments, Request request) {
  const std::string_view which = request.healthy     ? "healthy"
                                 : request.pipelines ? "pipelines"
                                                     : "seeds";
  const auto seeds = parse_seeds(arguments.value(which, "1..100"));
  if (!seeds) return wrong(which, "N or N..M");
  request.seeds = *seeds;
  const auto number = [&](std::string_view flag, int& into) {
    if (!arguments.has(flag)) return true;
    const auto count = parse_count(arguments.value(flag));
    into = count.value_or(0);
    return count.has_value();
  };
  if (!number("jobs", request.jobs)) return wrong("jobs", "a number of threads, at least 1");
  bool readable = number("late", request.planned.late_event);
  for (std::size_t i = 0; i < sim::kAtWriteFlags.size(); ++i) {
    if (!arguments.has(sim::kAtWriteFlags[i])) continue;
    request.planned.what = static_cast<sim::PlannedFault::AtWrite>(i);
    readable = number(sim::kAtWriteFlags[i], request.planned.at_write) && readable;
  }
  if (!readable)
    return wrong("crash-before, --crash-after, --answer-lost, --write-late and --late",
                 "the number of a write or event");
  return request;
}

Result<Request> read_request(const Invocation& invocation) {
  const auto& arguments = invocation.arguments;
  Request request{invocation.streams.out};
  request.traced = arguments.has("trace");
  request.without_faults = arguments.has("without-faults");
  request.exhaustive = arguments.has("exhaustive");
  request.healthy = arguments.has("healthy");
  request.pipelines = arguments.has("pipelines");
  request.bugs = arguments.has("bugs");
  request.coverage = arguments.has("coverage");
  request.bug = sim::bug_named(arguments.value("bug", "none"));
  if (request.bug == Bug::kCount) return wrong("bug", "the name of a planted bug (--bugs)");
  if (arguments.has("scenario")) {
    request.scenario = sim::find_scenario(arguments.value("scenario"));
    if (!request.scenario) return wrong("scenario", "a named scenario (--exhaustive lists them)");
  }
  return read_numbers(arguments, request);
}

void print_run(std::ostream& out, const sim::RunResult& run, bool whole) {
  const std::size_t skip =
      whole || run.trace.size() < kLastLines ? 0 : run.trace.size() - kLastLines;
  for (std::size_t i = skip; i < run.trace.size(); ++i) out << run.trace[i] << "\n";
  for (const auto& violation : run.violations)
    out << fmt::format("violated: {}: {}\n", violation.rule, violation.what);
}

// The history of what went wrong, told by running it once more: the same seed tells the same story.
void print_findings(const sim::SearchReport& report, const Request& request) {
  for (const auto& finding : report.findings) {
    auto words = finding.replay;
    if (request.bug != Bug::None) words += fmt::format(" --bug {}", name_of(request.bug));
    for (const auto& violation : finding.result.violations)
      request.out << fmt::format("violated: {}: {}\n", violation.rule, violation.what);
    request.out << "replay: weir sim " << words << " --trace\n" << std::flush;
  }
}

int print_coverage(std::ostream& out) {
  int missed = 0;
  for (std::size_t i = 0; i < kSimPointNames.size(); ++i) {
    const bool hit = was_reached(static_cast<SimPoint>(i));
    if (!hit) ++missed;
    if (!hit) out << "never reached: " << kSimPointNames[i] << "\n";
  }
  out << fmt::format("{} of {} marked points reached\n", kSimPointNames.size() - missed,
                     kSimPointNames.size());
  return missed;
}

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(clock_.monotonic() - begun_).count();
  }

 private:
  SystemClock clock_;
  SteadyTime begun_ = clock_.monotonic();
};

sim::RunResult one_run(const Request& request) {
  if (request.scenario)
    return sim::run_scenario(*request.scenario, request.planned, true, request.bug);
  if (!request.healthy)
    return sim::run_seed(
        {request.seeds.first, true, request.without_faults, request.bug, request.pipelines});
  auto options = sim::options_of_healthy_seed(request.seeds.first, request.bug);
  options.traced = true;
  return sim::simulate(options);
}

bool run_one(const Request& request) {
  const auto run = one_run(request);
  print_run(request.out, run, request.traced);
  return run.violations.empty();
}

bool run_seeds(const Request& request) {
  const Stopwatch watch;
  const auto report = sim::sweep({request.seeds.first, request.seeds.last, request.jobs,
                                  request.bug, kMostFindings, request.pipelines});
  print_findings(report, request);
  request.out << fmt::format(
                     "{} seeds, {:.1f} simulated hours in {:.1f} s ({:.1f} seeds/s, {:.2f} "
                     "hours/s), {} with "
                     "violations\n",
                     report.runs, report.simulated_hours, watch.seconds(),
                     report.runs / watch.seconds(), report.simulated_hours / watch.seconds(),
                     report.findings.size())
              << std::flush;
  return report.findings.empty();
}

bool run_healthy(const Request& request) {
  const Stopwatch watch;
  const auto report =
      sim::sweep_healthy({request.seeds.first, request.seeds.last, request.jobs, request.bug});
  const auto rolled_back = report.taken_back.size();
  print_findings({report.runs, 0, report.findings}, request);
  if (!report.keeps_bound()) {
    auto told = report.taken_back;
    told.resize(std::min(told.size(), kMostReplays));
    print_findings({report.runs, 0, std::move(told)}, request);
  }
  request.out << fmt::format(
                     "{} releases of healthy versions, {:.1f} simulated hours in {:.1f} s: {} "
                     "released, {} rolled back ({:.2f} %)\n"
                     "at least {:.2f} % are (one-sided 99.9 % limit), allowed {:g} %, {} with "
                     "violations\n",
                     report.runs, report.simulated_hours, watch.seconds(), report.released,
                     rolled_back, 100.0 * static_cast<double>(rolled_back) / report.runs,
                     100 * report.least, 100 * report.allowed, report.findings.size())
              << std::flush;
  return report.keeps_bound() && report.findings.empty();
}

bool run_exhaustive(const Request& request) {
  const Stopwatch watch;
  int runs = 0;
  std::size_t findings = 0;
  for (const auto& scenario : sim::all_scenarios()) {
    if (request.scenario && request.scenario != &scenario) continue;
    const Stopwatch own;
    const auto report = sim::exhaust(scenario, request.jobs, request.bug);
    runs += report.runs;
    findings += report.findings.size();
    print_findings(report, request);
    request.out << fmt::format("{:26} {:5} runs {:6.1f} s, {} with violations\n", scenario.name,
                               report.runs, own.seconds(), report.findings.size())
                << std::flush;
  }
  request.out << fmt::format("exhaustive: {} runs in {:.1f} s, {} with violations\n", runs,
                             watch.seconds(), findings);
  return findings == 0;
}

// A single false rollback is no finding yet: it is too many of them.
sim::SearchReport false_rollbacks(Bug bug, int jobs) {
  auto report = sim::sweep_healthy({1, kSeedsForBugs, jobs, bug});
  if (report.keeps_bound()) report.taken_back.clear();
  return {report.runs, report.simulated_hours, std::move(report.taken_back)};
}

sim::SearchReport search_for(const sim::Hiding& hiding, int jobs) {
  if (hiding.in_healthy) return false_rollbacks(hiding.bug, jobs);
  if (hiding.scenario.empty())
    return sim::sweep({1, kSeedsForBugs, jobs, hiding.bug, 1, hiding.in_pipelines});
  return sim::exhaust(*sim::find_scenario(hiding.scenario), jobs, hiding.bug, 1);
}

bool find_bug(std::ostream& out, const sim::Hiding& hiding, int jobs) {
  const Stopwatch watch;
  const auto report = search_for(hiding, jobs);
  const bool found = !report.findings.empty();
  out << fmt::format("{:26} {} after {:3} runs, {:5.1f} s{}\n", name_of(hiding.bug),
                     found ? "found" : "MISSED", report.runs, watch.seconds(),
                     found ? ": " + report.findings.front().result.violations.front().rule : "")
      << std::flush;
  return found;
}

bool find_bugs(const Request& request) {
  bool all = true;
  for (const auto& hiding : sim::all_bugs())
    all = find_bug(request.out, hiding, request.jobs) && all;
  return all;
}

bool run(const Request& request) {
  if (request.bugs) return find_bugs(request);
  const bool one_seed = request.seeds.first == request.seeds.last;
  if ((request.scenario && !request.exhaustive) || (one_seed && !request.exhaustive))
    return run_one(request);
  if (request.healthy) return run_healthy(request);
  bool ok = run_seeds(request);
  if (request.exhaustive) ok = run_exhaustive(request) && ok;
  if (request.coverage) ok = print_coverage(request.out) == 0 && ok;
  return ok;
}

Result<int> run_command(const Invocation& invocation) {
  const auto request = read_request(invocation);
  if (!request) return usage_error(invocation, request.error().message);
  sim::capture_logs();
  return run(*request) ? exit_code::kOk : exit_code::kFailed;
}

}  // namespace

Command sim_command() {
  Command command;
  command.name = "sim";
  command.summary = "the operator under every fault, in virtual time";
  command.more =
      "Exit code 1 when a rule was violated; the line below it replays the run.\n"
      "\n"
      "  weir sim --seeds 1..1000 --jobs 2\n"
      "  weir sim --seeds 7 --trace\n"
      "  weir sim --healthy 1..1000 --jobs 2\n"
      "  weir sim --pipelines 1..1000 --jobs 2\n"
      "  weir sim --exhaustive --scenario bad-release\n"
      "  weir sim --scenario bad-release --crash-after 17 --trace\n";
  command.flags = {
      {"seeds", 0, "N..M", "which runs; 1..100"},
      {"healthy", 0, "N..M",
       "in place of --seeds: releases of good versions; fails when too many are rolled back"},
      {"pipelines", 0, "N..M", "in place of --seeds: runs of a pipeline"},
      {"jobs", 0, "N", "threads; 1"},
      {"exhaustive", 0, "",
       "after the seeds: a crash before and after each write, its answer lost, it or an event "
       "late"},
      {"scenario", 0, "NAME", "of the exhaustive search; alone: one run of it"},
      {"crash-before", 0, "N", "the run with a crash before its N-th write"},
      {"crash-after", 0, "N", "the run with a crash after its N-th write"},
      {"answer-lost", 0, "N", "the run in which the answer to its N-th write is lost"},
      {"write-late", 0, "N", "the run in which its N-th write takes effect after it has given up"},
      {"late", 0, "N", "the run with the N-th event of a watch late"},
      {"without-faults", 0, "", "the run that a seed is compared with"},
      {"trace", 0, "", "print every write"},
      {"coverage", 0, "", "fail when a marked point was not reached"},
      {"bugs", 0, "", "plant bugs, one after another; each must be found"},
      {"bug", 0, "NAME", "plant this one"},
  };
  command.run = run_command;
  return command;
}

}  // namespace weir
