#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "cli/commands.h"
#include "cli/releases.h"
#include "cli/session.h"

namespace weir {
namespace {

constexpr milliseconds kPatience{3000};  // a person waits at the prompt
constexpr std::size_t kMaxWords = 1000;
constexpr Kind kNamespaceKind{"", "v1", "Namespace", "namespaces"};

using Words = std::vector<std::string>;

struct Candidates {
  Words lines;         // "word" or "word\tdescription"
  bool files = false;  // or a file, which the shell knows
};

void offer(Candidates& candidates, const std::string& typed, std::string_view word,
           std::string_view description = "") {
  if (word.starts_with(typed))
    candidates.lines.push_back(description.empty() ? std::string(word)
                                                   : fmt::format("{}\t{}", word, description));
}

void offer_commands(Candidates& candidates, const std::string& typed,
                    const std::vector<Command>& table) {
  for (const auto& command : table)
    if (!command.hidden) offer(candidates, typed, command.name, command.summary);
}

// What the cluster can be asked; nothing is offered when it does not answer.
Result<std::unique_ptr<Session>> connect_by(const Words& words, const Command& command) {
  ASSIGN_OR_RETURN(const auto arguments, Arguments::parse(words, command.flags));
  ASSIGN_OR_RETURN(auto session, connect(arguments));
  session->patience = kPatience;
  return session;
}

void offer_releases(Candidates& candidates, const std::string& typed, Session& session) {
  const auto list = list_releases(session, "");
  if (!list) return;
  constexpr std::string_view kPrefix = "release/";
  const bool with_kind = typed.starts_with(kPrefix);
  for (const auto& seen : list->releases) {
    const auto& name = seen.release.meta.key.name;
    offer(candidates, typed, with_kind ? std::string(kPrefix) + name : name);
  }
}

void offer_namespaces(Candidates& candidates, const std::string& typed, Session& session) {
  const auto page = session.api->list(kNamespaceKind, {"", ""}, "", session.deadline());
  if (!page) return;
  for (const auto& item : page->items)
    offer(candidates, typed, json_text(item, {"metadata", "name"}));
}

const Flag* flag_of(const Command& command, const std::string& word) {
  const auto found =
      std::find_if(command.flags.begin(), command.flags.end(), [&](const Flag& flag) {
        return word == fmt::format("--{}", flag.name) ||
               (flag.letter != 0 && word == fmt::format("-{}", flag.letter));
      });
  return found == command.flags.end() ? nullptr : &*found;
}

void offer_value(Candidates& candidates, const std::string& typed, const Flag& flag,
                 const Words& before, const Command& command) {
  const auto allowed = allowed_values(flag);
  for (const auto word : allowed) offer(candidates, typed, word);
  if (flag.name == "namespace") {
    if (const auto session = connect_by(before, command))
      offer_namespaces(candidates, typed, **session);
  } else {
    candidates.files = flag.value == "FILE";
  }
}

void offer_flags(Candidates& candidates, const std::string& typed, const Command& command) {
  for (const auto& flag : command.flags)
    offer(candidates, typed, fmt::format("--{}", flag.name), flag.help);
  offer(candidates, typed, "--help", "what the command does");
}

// `words` are those after the command; the last is being typed.
Candidates complete(const Command& command, Words words) {
  Candidates candidates;
  const auto typed = words.back();
  words.pop_back();
  // bash takes --output=json apart.
  if (!words.empty() && words.back() == "=") words.pop_back();
  const Flag* flag = words.empty() ? nullptr : flag_of(command, words.back());
  if (flag != nullptr && !flag->value.empty()) {
    words.pop_back();
    offer_value(candidates, typed, *flag, words, command);
  } else if (typed.starts_with("-")) {
    offer_flags(candidates, typed, command);
  } else if (command.operands == Operands::Releases) {
    if (const auto session = connect_by(words, command))
      offer_releases(candidates, typed, **session);
  } else {
    candidates.files = command.operands == Operands::Files;
    // "bash|zsh|fish"
    for (const auto word : allowed_values({"", 0, command.synopsis}))
      if (!candidates.files) offer(candidates, typed, word);
  }
  return candidates;
}

Result<int> run(const Invocation& invocation) {
  Words words = invocation.arguments.operands();
  const auto& table = invocation.table;
  Candidates candidates;
  if (words.size() == 1) {
    offer_commands(candidates, words.front(), table);
    offer(candidates, words.front(), "help", "how to use it");
  } else {
    const auto command = std::find_if(table.begin(), table.end(),
                                      [&](const Command& c) { return c.name == words.front(); });
    const bool help = words.front() == "help" && words.size() == 2;
    if (help) offer_commands(candidates, words.back(), table);
    words.erase(words.begin());
    if (command != table.end()) candidates = complete(*command, std::move(words));
  }
  for (const auto& line : candidates.lines) invocation.streams.out << line << "\n";
  // As the completions of kubectl's plugins end: whether the shell may offer files.
  invocation.streams.out << (candidates.files ? ":0\n" : ":4\n");
  return exit_code::kOk;
}

}  // namespace

Command complete_command() {
  Command command;
  command.name = "__complete";
  command.summary = "candidates for the last of the words after --";
  command.hidden = true;
  command.min_operands = 1;
  command.max_operands = kMaxWords;
  command.run = run;
  return command;
}

}  // namespace weir
