#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <ostream>

#include "base/log.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "sim/simulation.h"

namespace weir {
namespace {

constexpr std::size_t kLastLines = 14;  // of a violating run, without --trace

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

void print(std::ostream& out, const sim::RunResult& run, std::uint64_t seed, bool whole) {
  const std::size_t skip =
      whole || run.trace.size() < kLastLines ? 0 : run.trace.size() - kLastLines;
  for (std::size_t i = skip; i < run.trace.size(); ++i) out << run.trace[i] << "\n";
  for (const auto& violation : run.violations)
    out << fmt::format("seed {}: violated: {}: {}\n", seed, violation.rule, violation.what);
  if (!run.violations.empty()) out << fmt::format("replay: weir sim --seeds {} --trace\n", seed);
}

Result<int> run(const Invocation& invocation) {
  const auto& arguments = invocation.arguments;
  const auto seeds = parse_seeds(arguments.value("seeds", "1..100"));
  if (!seeds) return usage_error(invocation, "--seeds: must be N or N..M");
  set_log_sink([](LogLevel, std::string_view) {});
  std::uint64_t violating = 0;
  double hours = 0;
  for (auto seed = seeds->first; seed <= seeds->last; ++seed) {
    const auto run = sim::run_seed({seed, arguments.has("trace"), arguments.has("without-faults")});
    hours += std::chrono::duration<double>(run.simulated).count() / 3600;
    if (!run.violations.empty()) ++violating;
    if (!run.violations.empty() || arguments.has("trace"))
      print(invocation.streams.out, run, seed, arguments.has("trace"));
  }
  invocation.streams.out << fmt::format("{} seeds, {:.1f} simulated hours, {} with violations\n",
                                        seeds->last - seeds->first + 1, hours, violating);
  return violating == 0 ? exit_code::kOk : exit_code::kFailed;
}

}  // namespace

Command sim_command() {
  Command command;
  command.name = "sim";
  command.summary = "the operator under every fault, in virtual time";
  command.more =
      "Exit code 1 when a rule was violated; the line below it replays the run.\n"
      "\n"
      "  weir sim --seeds 1..1000\n"
      "  weir sim --seeds 7 --trace\n";
  command.flags = {{"seeds", 0, "N..M", "which runs; 1..100"},
                   {"trace", 0, "", "print every step"},
                   {"without-faults", 0, "", "nothing goes wrong"}};
  command.run = run;
  return command;
}

}  // namespace weir
