#include "base/log.h"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <array>
#include <atomic>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/time_format.h"

namespace weir {
namespace {

constexpr std::array<std::string_view, 4> kLevelNames{"debug", "info", "warn", "error"};
constexpr std::array<spdlog::level::level_enum, 4> kSpdlogLevels{
    spdlog::level::debug, spdlog::level::info, spdlog::level::warn, spdlog::level::err};

struct LogState {
  std::atomic<LogLevel> level{LogLevel::Info};
  spdlog::logger stderr_logger{"weir", std::make_shared<spdlog::sinks::stderr_sink_mt>()};
  Mutex mutex;
  std::shared_ptr<const LogSink> sink GUARDED_BY(mutex);

  LogState() {
    stderr_logger.set_level(spdlog::level::trace);
    // The whole line is ours: a pattern would not escape the message.
    stderr_logger.set_pattern("%v");
  }
};

// Never destroyed, so that threads that outlive main may still log.
LogState& state() {
  static auto* const kState = new LogState;
  return *kState;
}

std::string format_line(LogLevel level, std::string_view message, LogFields fields) {
  nlohmann::ordered_json line{{"time", format_time_micro(SystemClock().now())},
                              {"level", to_string(level)},
                              {"msg", message}};
  for (const auto& [name, value] : fields) line.emplace(std::string(name), value);
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

void write(LogLevel level, std::string_view message, LogFields fields) {
  LogState& logs = state();
  if (level < logs.level.load(std::memory_order_relaxed)) return;
  try {
    const std::string line = format_line(level, message, fields);
    std::shared_ptr<const LogSink> sink;
    {
      Lock lock(logs.mutex);
      sink = logs.sink;
    }
    if (sink != nullptr) {
      (*sink)(level, line);
    } else {
      logs.stderr_logger.log(kSpdlogLevels[static_cast<std::size_t>(level)],
                             spdlog::string_view_t(line.data(), line.size()));
    }
  } catch (const std::exception&) {
    // Out of memory or standard error closed: there is nobody left to tell.
    return;
  }
}

}  // namespace

std::string_view to_string(LogLevel level) { return kLevelNames[static_cast<std::size_t>(level)]; }

Result<LogLevel> parse_log_level(std::string_view text) {
  for (std::size_t i = 0; i < kLevelNames.size(); ++i) {
    if (kLevelNames[i] == text) return static_cast<LogLevel>(i);
  }
  return Error{ErrorKind::Invalid,
               fmt::format("\"{}\" is not a log level; write debug, info, warn or error", text)};
}

void log_debug(std::string_view message, LogFields fields) {
  write(LogLevel::Debug, message, fields);
}
void log_info(std::string_view message, LogFields fields) {
  write(LogLevel::Info, message, fields);
}
void log_warn(std::string_view message, LogFields fields) {
  write(LogLevel::Warn, message, fields);
}
void log_error(std::string_view message, LogFields fields) {
  write(LogLevel::Error, message, fields);
}

void set_log_level(LogLevel level) { state().level = level; }

void set_log_sink(LogSink sink) {
  auto shared = sink ? std::make_shared<const LogSink>(std::move(sink)) : nullptr;
  Lock lock(state().mutex);
  state().sink = std::move(shared);
}

}  // namespace weir
