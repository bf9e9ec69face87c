#pragma once

#include <string>
#include <vector>

#include "step/reports.h"

namespace weir::step {

struct RunOptions {
  long timeout_ms = 0;    // 0 = none
  long no_output_ms = 0;  // 0 = none
  std::size_t message_bytes = 2048;
  std::string message_path = "/dev/termination-log";
  std::vector<std::string> results;  // names of files in $RESULTS
  std::vector<WantedReport> reports;
  std::string script;  // either it or command
  std::vector<std::string> command;
};

// [--timeout=D] [--no-output-timeout=D] [--message-bytes=N] [--message=PATH] [--result=NAME]... [--report=NAME:KIND:PATH]...
// (--script=TEXT | -- COMMAND [ARG...])
bool parse(const std::vector<std::string>& args, RunOptions& options);

// "1h2m3s4ms"; 0: it is none.
long parse_duration_ms(const std::string& text);

// Says how it is used; the exit code.
int refuse_usage();

}  // namespace weir::step
