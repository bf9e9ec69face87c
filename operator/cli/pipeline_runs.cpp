#include "cli/pipeline_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>

#include "base/time_format.h"
#include "base/wait.h"
#include "kube/status_error.h"

namespace weir {
namespace {

constexpr milliseconds kLook{1000};

std::string called(const StageStatus& stage) {
  return stage.combination.empty() ? stage.name
                                   : fmt::format("{} ({})", stage.name, stage.combination);
}

std::string line_of(const StageStatus& stage, std::size_t width, WallTime now) {
  auto line = fmt::format("  {:<{}}  {:<9}  {:>6}", called(stage), width, to_string(stage.phase),
                          time_taken(stage.started, stage.ended, now));
  if (stage.attempt > 1) line += fmt::format("  attempt {}", stage.attempt);
  if (!stage.reused_from.empty()) line += "  taken over from " + stage.reused_from;
  if (!stage.message.empty()) line += "  " + stage.message;
  while (line.ends_with(' ')) line.pop_back();
  return line + "\n";
}

// One line per stage whose phase has changed since the last call.
class Narrator {
 public:
  explicit Narrator(std::ostream& out) : out_(out) {}

  void tell(const PipelineRun& run, WallTime now) {
    for (const auto& stage : run.status.stages) {
      auto& known = known_[called(stage)];
      const auto state = fmt::format("{} {}", to_string(stage.phase), stage.attempt);
      if (known == state || stage.phase == StagePhase::Waiting) continue;
      known = state;
      out_ << line_of(stage, 0, now).substr(2) << std::flush;
    }
    const auto phase = std::string(to_string(run.status.phase));
    if (phase == phase_) return;
    phase_ = phase;
    const auto& message = run.status.message;
    out_ << fmt::format("{}  {}{}{}\n", run.meta.key.name, phase, message.empty() ? "" : "  ",
                        message)
         << std::flush;
  }

 private:
  std::ostream& out_;
  std::map<std::string, std::string> known_;
  std::string phase_;
};

}  // namespace

Result<std::vector<SeenRun>> list_runs(Session& session) {
  std::vector<SeenRun> runs;
  std::string next;
  do {
    ASSIGN_OR_RETURN(auto page, session.api->list(kinds::kPipelineRun, {session.ns, ""}, next,
                                                  session.deadline()));
    for (auto& item : page.items) {
      ASSIGN_OR_RETURN(auto run, decode_pipeline_run(item));
      runs.push_back({std::move(run), std::move(item)});
    }
    next = page.next;
  } while (!next.empty());
  std::stable_sort(runs.begin(), runs.end(), [](const SeenRun& a, const SeenRun& b) {
    return a.run.meta.created > b.run.meta.created;
  });
  return runs;
}

Result<SeenRun> get_run(Session& session, const std::string& name) {
  auto object = session.api->get(kinds::kPipelineRun, {session.ns, name}, session.deadline());
  if (!object && object.error().kind == ErrorKind::NotFound)
    return Error{ErrorKind::NotFound,
                 fmt::format("no pipeline run \"{}\" in namespace {}", name, session.ns)};
  if (!object) return std::move(object).error();
  ASSIGN_OR_RETURN(auto run, decode_pipeline_run(*object));
  return SeenRun{std::move(run), *std::move(object)};
}

std::string time_taken(const std::optional<WallTime>& started, const std::optional<WallTime>& ended,
                       WallTime now) {
  if (!started) return "";
  const auto taken = std::chrono::duration_cast<seconds>(ended.value_or(now) - *started);
  return format_duration(std::max(taken, seconds(0)));
}

std::string report_text(const Report& report) {
  auto text = figures_text(report);
  if (!report.failed.empty()) text += fmt::format("; failed: {}", fmt::join(report.failed, ", "));
  if (!report.error.empty()) text += (text.empty() ? "" : "; ") + report.error;
  return text;
}

std::string run_tree(const PipelineRun& run, WallTime now) {
  const auto& status = run.status;
  auto text = fmt::format("{}  {}  {}  {}\n", run.meta.key.name, to_string(status.phase),
                          time_taken(status.started, status.ended, now), status.message);
  std::size_t width = 0;
  for (const auto& stage : status.stages) width = std::max(width, called(stage).size());
  for (const auto& stage : status.stages) {
    text += line_of(stage, width, now);
    for (const auto& [name, value] : stage.results)
      text += fmt::format("  {:<{}}    {} = {}\n", "", width, name, value);
    for (const auto& report : stage.reports)
      text += fmt::format("  {:<{}}    {}: {}\n", "", width, report.name, report_text(report));
  }
  return text;
}

std::optional<int> outcome_of(const PipelineRun& run) {
  switch (run.status.phase) {
    case RunPhase::Succeeded: return exit_code::kOk;
    case RunPhase::Failed: return exit_code::kFailed;
    case RunPhase::Cancelled: return exit_code::kRolledBack;
    default: return std::nullopt;
  }
}

Result<int> follow_run(Session& session, const Streams& streams, const std::string& name,
                       milliseconds timeout) {
  const auto until = Deadline::after(session.clock, timeout);
  Narrator narrator(streams.out);
  while (true) {
    const auto seen = get_run(session, name);
    const bool passing = !seen && (seen.error().kind == ErrorKind::Unavailable ||
                                   seen.error().kind == ErrorKind::Timeout ||
                                   seen.error().kind == ErrorKind::Throttled);
    if (!seen && !passing) return seen.error();
    if (seen) {
      narrator.tell(seen->run, session.clock.now());
      if (const auto code = outcome_of(seen->run)) return *code;
    }
    if (until.left(session.clock) == milliseconds(0)) return exit_code::kTimedOut;
    wait_until(session.clock.monotonic() + std::min(kLook, until.left(session.clock)), {});
  }
}

}  // namespace weir
