// Runs another program to its end and takes what it prints.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace weir {

struct PluginRequest {
  std::string command;  // looked for on the PATH, unless it has a slash
  std::vector<std::string> arguments{};
  std::vector<std::pair<std::string, std::string>> environment{};  // added to ours
  bool on_terminal =
      false;  // may read from ours; else it reads nothing, and is killed with all it has started
  milliseconds limit{60'000};
  std::size_t max_output = 1U << 20U;  // bytes
};

// Its standard output; its standard error goes to ours as it comes. Errors: NotFound (no such program), Forbidden (it failed, by
// exit code or signal), Timeout, Invalid (too much output, or it cannot be started).
Result<std::string> run_plugin(const PluginRequest& request);

}  // namespace weir
