#include "cli/command_line.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "base/nearest.h"

namespace weir {
namespace {

constexpr int kDefaultColumns = 80;

bool is_help(std::string_view word) { return word == "--help" || word == "-h" || word == "help"; }

const Command* find_command(const std::vector<Command>& table, std::string_view name) {
  const auto found =
      std::find_if(table.begin(), table.end(), [&](const Command& c) { return c.name == name; });
  return found == table.end() ? nullptr : &*found;
}

std::string overview(const std::vector<Command>& table, std::string_view version) {
  auto text = fmt::format(
      "weir {}: takes a commit to production and takes it back when it hurts\n\nusage: weir "
      "COMMAND [ARGUMENT…]\n",
      version);
  for (const auto& command : table)
    if (!command.hidden) text += fmt::format("  {:<11} {}\n", command.name, command.summary);
  return text +
         "\n`weir COMMAND --help` tells more. As kubectl-weir on the PATH it answers to `kubectl "
         "weir`.\nExit codes: 0 ok, 1 failed, 2 usage, 3 timed out while progressing, 4 waiting "
         "for approval,\n5 rolled back or aborted, 6 not found, 7 forbidden.\n";
}

std::string flag_line(const Flag& flag) {
  auto text = flag.letter != 0 ? fmt::format("-{}, ", flag.letter) : std::string("    ");
  text += fmt::format("--{}", flag.name);
  if (!flag.value.empty()) text += fmt::format(" {}", flag.value);
  return fmt::format("  {:<28} {}\n", text, flag.help);
}

int unknown_command(const std::string& word, const std::vector<Command>& table,
                    const Streams& streams) {
  std::vector<std::string_view> names;
  for (const auto& command : table)
    if (!command.hidden) names.push_back(command.name);
  streams.err << fmt::format("weir: unknown command \"{}\"{}\nSee `weir help`.\n", word,
                             did_you_mean(word, names));
  return exit_code::kUsage;
}

int exit_code_of(const Error& error) {
  switch (error.kind) {
    case ErrorKind::NotFound: return exit_code::kNotFound;
    case ErrorKind::Forbidden: return exit_code::kForbidden;
    default: return exit_code::kFailed;
  }
}

int run_command(const Command& command, const std::vector<std::string>& words,
                const std::vector<Command>& table, const Streams& streams,
                std::string_view version) {
  const auto read = Arguments::parse(words, command.flags);
  const Arguments none;
  const Invocation invocation{command, read ? *read : none, streams, table, version};
  if (!read) return usage_error(invocation, read.error().message);
  const auto given = read->operands().size();
  if (given > command.max_operands)
    return usage_error(invocation,
                       fmt::format("{}: not expected", read->operands()[command.max_operands]));
  if (given < command.min_operands)
    return usage_error(invocation, fmt::format("{} is missing", command.synopsis));
  const auto done = command.run(invocation);
  if (done) return *done;
  streams.err << fmt::format("weir {}: {}\n", command.name, done.error().message);
  return exit_code_of(done.error());
}

}  // namespace

std::string help_text(const Command& command) {
  auto text = fmt::format("{}\n\nusage: weir {}{}{}{}\n", command.summary, command.name,
                          command.synopsis.empty() ? "" : " ", command.synopsis,
                          command.flags.empty() ? "" : " [FLAG…]");
  for (const auto& flag : command.flags) text += flag_line(flag);
  if (!command.more.empty()) text += fmt::format("\n{}", command.more);
  return text;
}

int usage_error(const Invocation& invocation, std::string_view why) {
  const auto name = invocation.command.name;
  invocation.streams.err << fmt::format("weir {}: {}\nSee `weir {} --help`.\n", name, why, name);
  return exit_code::kUsage;
}

int run_command_line(const std::vector<std::string>& words, const std::vector<Command>& table,
                     const Streams& streams, std::string_view version) {
  if (words.empty()) {
    streams.err << overview(table, version);
    return exit_code::kUsage;
  }
  if (is_help(words[0]) && words.size() == 1) {
    streams.out << overview(table, version);
    return exit_code::kOk;
  }
  const bool asks_help = is_help(words[0]);
  const auto& name = asks_help ? words[1] : words[0] == "--version" ? "version" : words[0];
  const Command* command = find_command(table, name);
  if (command == nullptr) return unknown_command(name, table, streams);
  const std::vector<std::string> rest(words.begin() + 1, words.end());
  const auto end = std::find(rest.begin(), rest.end(), "--");
  const bool wants_help = std::any_of(
      rest.begin(), end, [](const auto& word) { return word == "--help" || word == "-h"; });
  if (asks_help || (wants_help && !command->hidden)) {
    streams.out << help_text(*command);
    return exit_code::kOk;
  }
  return run_command(*command, rest, table, streams, version);
}

Streams standard_streams() {
  Streams streams{std::cin, std::cout, std::cerr};
  if (::isatty(STDOUT_FILENO) == 0) return streams;
  winsize size{};
  const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  streams.columns = known ? size.ws_col : kDefaultColumns;
  // https://no-color.org: set and not empty.
  const char* no_color = std::getenv("NO_COLOR");
  streams.colour = no_color == nullptr || *no_color == '\0';
  return streams;
}

}  // namespace weir
