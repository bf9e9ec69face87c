// What a command of `kubectl weir` is: one row of a table, from which parsing, help and completion are made.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/arguments.h"

namespace weir {

// The same for every command.
namespace exit_code {
inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;
inline constexpr int kTimedOut = 3;  // while it was still progressing
inline constexpr int kAwaitingApproval = 4;
inline constexpr int kRolledBack = 5;  // or aborted
inline constexpr int kNotFound = 6;
inline constexpr int kForbidden = 7;
}  // namespace exit_code

// Data goes to `out`, everything else to `err`.
struct Streams {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  int columns = 0;      // of the terminal behind `out`; 0: it is none
  bool colour = false;  // a terminal, and NO_COLOR is not set
};

enum class Operands { None, Releases, Files };  // what completion offers

struct Command;

struct Invocation {
  const Command& command;
  const Arguments& arguments;
  const Streams& streams;
  const std::vector<Command>& table;
  std::string_view version;
};

struct Command {
  std::string_view name;
  std::string_view synopsis;  // of the operands: "[NAME]"
  std::string_view summary;   // one line
  std::string_view more;      // paragraphs and examples, for --help
  std::vector<Flag> flags;
  Operands operands = Operands::None;
  std::size_t min_operands = 0;
  std::size_t max_operands = 0;
  bool hidden = false;
  // An exit code. An error is printed by the caller, and its kind decides the code.
  Result<int> (*run)(const Invocation&) = nullptr;
};

}  // namespace weir
