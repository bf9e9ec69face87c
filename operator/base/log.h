// Structured logs: one JSON object a line on standard error. The one global of the program, since everything may log.
// All functions are thread-safe and never throw; text that is not UTF-8 is repaired.
#pragma once

#include <functional>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace weir {

enum class LogLevel { Debug, Info, Warn, Error };

std::string_view to_string(LogLevel level);
// Error kind: Invalid, naming what is allowed.
Result<LogLevel> parse_log_level(std::string_view text);

// Name and value. A field named like one of ours (time, level, msg) is left out.
using LogFields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

void log_debug(std::string_view message, LogFields fields = {});
void log_info(std::string_view message, LogFields fields = {});
void log_warn(std::string_view message, LogFields fields = {});
void log_error(std::string_view message, LogFields fields = {});

// Lines below it are dropped. Info at start.
void set_log_level(LogLevel level);

// Sends the lines (without line end) elsewhere, from whichever thread logs; an empty function: back to standard error. For
// tests and the simulator.
using LogSink = std::function<void(LogLevel level, std::string_view line)>;
void set_log_sink(LogSink sink);

}  // namespace weir
