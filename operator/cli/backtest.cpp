#include "replay/backtest.h"

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <ostream>

#include "base/time_format.h"
#include "cli/backtest_html.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/policy_file.h"
#include "cli/prometheus_past.h"
#include "kube/token_file.h"

namespace weir {
namespace {

std::string_view ending_text(Ending ending) {
  switch (ending) {
    case Ending::UnderWay: return "UnderWay";
    case Ending::Promoted: return "Promoted";
    case Ending::RolledBack: return "RolledBack";
    case Ending::AwaitsPerson: return "AwaitingApproval";
  }
  return "UnderWay";
}

double seconds_between(WallTime from, WallTime to) {
  return std::chrono::duration<double>(to - from).count();
}

std::string release_text(const PastRelease& past) {
  return fmt::format("{} → {}", past.stable, past.canary);
}

void print_text(std::ostream& out, const std::string& policy, const Backtest& result) {
  out << fmt::format("policy {} over {} to {}, a point every {}; judged: {}\n\n", policy,
                     format_time(result.from), format_time(result.to), format_duration(result.step),
                     fmt::join(result.objectives, ", "));
  std::vector<std::vector<std::string>> rows{
      {"RELEASE", "BEGAN", "RECORDED", "CANARY'S BAD", "THE POLICY"}};
  for (const auto& release : result.releases) {
    const auto& past = release.past;
    rows.push_back({release_text(past), format_time(past.from),
                    fmt::format("{} after {}", to_string(past.ending),
                                rough_duration(seconds_between(past.from, past.until))),
                    fmt::format("{:.0f} of {:.0f}", release.canary.bad, release.canary.total),
                    decision_text(release)});
  }
  if (result.releases.empty())
    out << "no release found: one revision served all the time\n";
  else
    out << table_text(rows);
  out << "\n";
  for (const auto& release : result.releases)
    if (!release.message.empty())
      out << fmt::format("{}: {}\n", release_text(release.past), release.message);
  if (const auto text = trials_text(result); !text.empty()) out << text << "\n";
  for (const auto& warning : result.warnings) out << "warning: " << warning << "\n";
}

Json json_of(const ReplayedRelease& release) {
  const auto& past = release.past;
  return Json{{"canary", past.canary},
              {"stable", past.stable},
              {"began", format_time(past.from)},
              {"recorded",
               {{"ending", std::string(to_string(past.ending))},
                {"seconds", seconds_between(past.from, past.until)},
                {"bad", release.canary.bad},
                {"total", release.canary.total}}},
              {"policy",
               {{"ending", std::string(ending_text(release.ending))},
                {"seconds", seconds_between(past.from, release.decided)},
                {"weight", release.weight},
                {"objective", release.objective},
                {"message", release.message},
                {"badAnswersLess", release.bad_after}}}};
}

Json json_of(const Backtest& result) {
  const auto& trials = result.itself;
  Json taken_back = Json::array();
  for (const auto& one : trials.taken_back)
    taken_back.push_back(Json{{"at", format_time(one.at)},
                              {"revision", one.revision},
                              {"objective", one.objective},
                              {"message", one.message}});
  const double share = trials.trials > 0 ? static_cast<double>(trials.taken_back.size()) /
                                               static_cast<double>(trials.trials)
                                         : 0;
  return Json{{"split", trials.by_instance ? "instance" : "time"},
              {"releases", trials.trials},
              {"awaitingApproval", trials.awaiting},
              {"takenBack", std::move(taken_back)},
              {"shareAtMost", trials.share_at_most},
              {"releasesAYear", result.releases_a_year},
              {"falseRollbacksAYear", share * result.releases_a_year},
              {"falseRollbacksAYearAtMost", trials.share_at_most * result.releases_a_year}};
}

Json json_of(const std::string& policy, const Backtest& result) {
  Json releases = Json::array();
  for (const auto& release : result.releases) releases.push_back(json_of(release));
  return Json{{"policy", policy},
              {"from", format_time(result.from)},
              {"to", format_time(result.to)},
              {"stepSeconds", std::chrono::duration<double>(result.step).count()},
              {"objectives", result.objectives},
              {"releases", std::move(releases)},
              {"stableAgainstItself", json_of(result)},
              {"warnings", result.warnings}};
}

Result<void> write_file(const std::string& file, const std::string& text) {
  std::ofstream stream(file, std::ios::binary | std::ios::trunc);
  stream << text << std::flush;
  if (stream) return {};
  return Error{ErrorKind::Invalid, fmt::format("{}: cannot be written", file)};
}

Result<Recording> read_recording(const std::string& file) {
  const auto text = read_text_file(file, kMaxRecordingBytes);
  // A file that was named and is not there is a failure, not "not found" of the cluster.
  if (!text) return Error{ErrorKind::Invalid, text.error().message};
  auto recording = parse_recording(*text);
  if (recording) return recording;
  return Error{recording.error().kind, fmt::format("{}: {}", file, recording.error().message)};
}

Result<Recording> ask_prometheus_for(const Invocation& invocation, const PastWish& wish,
                                     const CanaryPolicySpec& policy) {
  const auto& arguments = invocation.arguments;
  const SystemClock clock;
  ASSIGN_OR_RETURN(const auto http, prometheus_client(arguments, wish.url));
  ASSIGN_OR_RETURN(auto past, record_past(policy, wish, *http, clock, arguments.has("save")));
  if (arguments.has("save")) {
    if (auto done = write_file(arguments.value("save"), past.text); !done) return done.error();
  }
  return std::move(past.recording);
}

// Why the words cannot be used; "" when they can.
std::string misused(const Arguments& arguments) {
  if (!arguments.has("filename")) return "--filename is missing";
  const bool live = arguments.has("prometheus");
  if (live == arguments.has("recording"))
    return live ? "--recording and --prometheus: only one of them"
                : "--recording or --prometheus is missing";
  for (const auto& flag : prometheus_flags())
    if (!live && arguments.has(flag.name))
      return fmt::format("--{}: only with --prometheus", flag.name);
  return "";
}

Result<Backtest> replay(const Invocation& invocation, const CanaryPolicySpec& policy,
                        const std::optional<PastWish>& wish) {
  const auto& arguments = invocation.arguments;
  ASSIGN_OR_RETURN(const auto a_year, read_number(arguments, "releases-a-year"));
  const auto source = wish ? wish->url : arguments.value("recording");
  ASSIGN_OR_RETURN(const auto recording,
                   wish ? ask_prometheus_for(invocation, *wish, policy) : read_recording(source));
  auto result = backtest(policy, recording, a_year);
  if (result) return result;
  return Error{result.error().kind, fmt::format("{}: {}", source, result.error().message)};
}

Result<int> run(const Invocation& invocation) {
  const auto& arguments = invocation.arguments;
  if (const auto why = misused(arguments); !why.empty()) return usage_error(invocation, why);
  std::optional<PastWish> wish;
  if (arguments.has("prometheus")) {
    auto read = read_past_wish(arguments, SystemClock().now());
    if (!read) return usage_error(invocation, read.error().message);
    wish = *std::move(read);
  }
  ASSIGN_OR_RETURN(const auto policy, read_policy_file(invocation));
  ASSIGN_OR_RETURN(const auto result, replay(invocation, policy.spec, wish));
  if (arguments.has("html")) {
    const auto html = backtest_html(policy.name, result);
    if (auto written = write_file(arguments.value("html"), html); !written) return written.error();
  }
  auto& out = invocation.streams.out;
  if (arguments.value("output") == "json")
    out << pretty_json(json_of(policy.name, result));
  else
    print_text(out, policy.name, result);
  return exit_code::kOk;
}

}  // namespace

Command backtest_command() {
  Command command;
  command.name = "backtest";
  command.summary = "what a CanaryPolicy would have done with releases of the past";
  command.more =
      "Replays counters that Prometheus has kept through the operator's own code: each release\n"
      "that there was, and stable against itself, where every rollback is a false one. Asks\n"
      "Prometheus for what the policy's queries count, or reads a file:\n"
      "\n"
      "  {\"revisionLabel\": \"service\",\n"
      "   \"objectives\": {\"errors\": {\"bad\": ANSWER, \"total\": ANSWER}}}\n"
      "\n"
      "ANSWER is what /api/v1/query_range gives for the plain counters of all revisions (no\n"
      "rate()), or a list of such answers one after the other; revisionLabel says which label\n"
      "tells revisions apart. --save writes such a file.\n"
      "\n"
      "  kubectl weir backtest -f policy.yaml --prometheus http://localhost:9090 \\\n"
      "    --release production/shop --from 336h --html report.html\n"
      "  kubectl weir backtest -f policy.yaml --recording november.json -o json\n";
  command.flags = {kPolicyFile,
                   {"recording", 0, "FILE", "counters of past releases (JSON)"},
                   {"html", 0, "FILE", "write a report with charts"},
                   kPolicyName,
                   {"releases-a-year", 0, "N", "for the false rollbacks; as there were"},
                   {"output", 'o', "text|json", "json: for programs"}};
  const auto more = prometheus_flags();
  command.flags.insert(command.flags.end(), more.begin(), more.end());
  command.run = run;
  return command;
}

}  // namespace weir
