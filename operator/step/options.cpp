#include "step/options.h"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace weir::step {
namespace {

constexpr std::size_t kMaxDigits = 9;

// The rest of `text` after `flag`; false when it begins otherwise.
bool take(const std::string& text, std::string_view flag, std::string& value) {
  if (text.compare(0, flag.size(), flag) != 0) return false;
  value = text.substr(flag.size());
  return true;
}

bool parse_report(const std::string& text, std::vector<WantedReport>& reports) {
  const auto first = text.find(':');
  const auto second = first == std::string::npos ? first : text.find(':', first + 1);
  if (second == std::string::npos || second + 1 == text.size()) return false;
  reports.push_back(
      {text.substr(0, first), text.substr(first + 1, second - first - 1), text.substr(second + 1)});
  return true;
}

bool parse_flag(const std::string& arg, RunOptions& options) {
  std::string value;
  if (take(arg, "--timeout=", value)) return (options.timeout_ms = parse_duration_ms(value)) > 0;
  if (take(arg, "--no-output-timeout=", value))
    return (options.no_output_ms = parse_duration_ms(value)) > 0;
  if (take(arg, "--message-bytes=", value))
    return (options.message_bytes = std::strtoul(value.c_str(), nullptr, 10)) > 0;
  if (take(arg, "--message=", options.message_path)) return true;
  if (take(arg, "--script=", options.script)) return !options.script.empty();
  if (take(arg, "--report=", value)) return parse_report(value, options.reports);
  if (!take(arg, "--result=", value)) return false;
  options.results.push_back(value);
  return value.find('/') == std::string::npos;
}

}  // namespace

long parse_duration_ms(const std::string& text) {
  constexpr std::array<std::pair<std::string_view, long>, 4> kUnits{
      {{"ms", 1}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}}};
  long total = 0;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
    if (end == at || end - at > kMaxDigits) return 0;
    const long number = std::strtol(text.c_str() + at, nullptr, 10);
    std::size_t length = 0;
    for (const auto& [unit, ms] : kUnits) {
      if (length > 0 || text.compare(end, unit.size(), unit) != 0) continue;
      total += number * ms;
      length = unit.size();
    }
    if (length == 0) return 0;
    at = end + length;
  }
  return total;
}

bool parse(const std::vector<std::string>& args, RunOptions& options) {
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (args[i] == "--") {
      options.command.assign(args.begin() + static_cast<std::ptrdiff_t>(i) + 1, args.end());
      break;
    }
    if (!parse_flag(args[i], options)) return false;
  }
  return options.script.empty() != options.command.empty();
}

int refuse_usage() {
  constexpr std::string_view kUsage =
      "usage: weir-step install BIN OUT | end | run [--timeout=D] [--no-output-timeout=D]\n"
      "       [--message-bytes=N] [--message=PATH] [--result=NAME]... "
      "[--report=NAME:KIND:PATH]...\n"
      "       (--script=TEXT | -- COMMAND [ARG...])\n";
  (void)!write(STDERR_FILENO, kUsage.data(), kUsage.size());
  return 2;
}

}  // namespace weir::step
