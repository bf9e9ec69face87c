// From the words of a command line to an exit code.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"

namespace weir {

// Finds the command, reads its arguments, answers --help, runs it, and tells its error. `version` is that of the program.
int run_command_line(const std::vector<std::string>& words, const std::vector<Command>& table,
                     const Streams& streams, std::string_view version);

// Where the process's own output goes, and what it can show.
Streams standard_streams();

// Prints why the words cannot be used; the exit code of that.
int usage_error(const Invocation& invocation, std::string_view why);

// How the command is called, what it does, its flags.
std::string help_text(const Command& command);

}  // namespace weir
