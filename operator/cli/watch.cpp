#include <fmt/format.h>

#include <algorithm>
#include <ostream>
#include <thread>

#include "api/codec.h"
#include "base/mutex.h"
#include "base/time_format.h"
#include "base/wait.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/outcome.h"
#include "cli/output.h"
#include "cli/releases.h"
#include "cli/watch_printer.h"

namespace weir {
namespace {

constexpr milliseconds kDefaultTimeout = std::chrono::hours(24);
// What is applied together comes one by one: a policy may be missing for a moment.
constexpr milliseconds kStallGrace{3000};
constexpr milliseconds kLook{100};

// Ends the watch when its time is over, or when the release has been stuck for a while. Thread-safe.
class Alarm {
 public:
  Alarm(const Clock& clock, milliseconds timeout)
      : clock_(clock),
        deadline_(Deadline::after(clock, timeout)),
        thread_([this](const std::stop_token& stop) { run(stop); }) {}

  std::stop_token token() const { return ended_.get_token(); }

  void set_stuck(bool stuck) {
    Lock lock(mutex_);
    if (!stuck) stuck_until_.reset();
    if (stuck && !stuck_until_) stuck_until_ = Deadline::after(clock_, kStallGrace);
  }

  bool rang_for_stuck() const {
    Lock lock(mutex_);
    return stuck_until_ && stuck_until_->left(clock_) == milliseconds(0);
  }

 private:
  void run(const std::stop_token& stop) {
    while (!stop.stop_requested() && deadline_.left(clock_) > milliseconds(0) && !rang_for_stuck())
      wait_until(clock_.monotonic() + std::min(kLook, deadline_.left(clock_)), stop);
    ended_.request_stop();
  }

  const Clock& clock_;
  const Deadline deadline_;
  std::stop_source ended_;
  mutable Mutex mutex_;
  std::optional<Deadline> stuck_until_ GUARDED_BY(mutex_){};
  std::jthread thread_;  // last: it must end before the rest goes
};

Result<int> watch(const Invocation& invocation, const std::string& name, milliseconds timeout) {
  ASSIGN_OR_RETURN(const auto session, connect(invocation.arguments));
  const auto& streams = invocation.streams;
  WatchPrinter printer(streams, session->clock, {false, streams.colour, false});
  Alarm alarm(session->clock, timeout);
  Release last;
  std::optional<int> outcome;
  const auto how =
      follow_releases(*session, name, streams.err, alarm.token(), [&](const SeenRelease& seen) {
        last = seen.release;
        printer.show(last);
        outcome = outcome_of(last);
        alarm.set_stuck(is_stuck(last));
        return !outcome;
      });
  if (outcome) return *outcome;
  if (!how && how.error().kind != ErrorKind::Shutdown) return how.error();
  const auto state = fmt::format("{}: {}", to_string(last.status.phase), last.status.message);
  if (is_stuck(last)) {
    streams.err << fmt::format("weir watch: {} does not go on by itself: {}\n", name, state);
    return exit_code::kFailed;
  }
  streams.err << fmt::format("weir watch: {} is not done after {}: {}\n", name,
                             format_duration(timeout), state);
  return exit_code::kTimedOut;
}

Result<int> run(const Invocation& invocation) {
  const auto name = release_name(invocation.arguments.operands().front());
  if (!name) return usage_error(invocation, name.error().message);
  milliseconds timeout = kDefaultTimeout;
  if (invocation.arguments.has("timeout")) {
    const auto given = parse_duration(invocation.arguments.value("timeout"));
    if (!given) return usage_error(invocation, "--timeout: " + given.error().message);
    timeout = *given;
  }
  return watch(invocation, *name, timeout);
}

}  // namespace

Command watch_command() {
  Command command;
  command.name = "watch";
  command.synopsis = "NAME";
  command.summary = "follows one release until it is done; the exit code tells how it ended";
  command.more =
      "Waits until the operator has seen the latest spec and the release goes nowhere by itself:\n"
      "0 it serves what the spec asks for, 1 it is stuck until somebody mends its input, 3 the "
      "time\n"
      "is over, 4 it waits for a person, 5 it was rolled back, 6 there is no such release.\n"
      "A policy's watch after 100 % is not waited for.\n"
      "\n"
      "  kubectl apply -f shop.yaml && kubectl weir watch shop --timeout 30m\n";
  command.flags =
      cluster_flags({{"timeout", 0, "DURATION", "give up after it (exit code 3); 24h"}});
  command.operands = Operands::Releases;
  command.min_operands = command.max_operands = 1;
  command.run = run;
  return command;
}

}  // namespace weir
