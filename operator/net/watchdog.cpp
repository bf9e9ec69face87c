#include "net/watchdog.h"

#include <algorithm>

namespace weir {
namespace {

constexpr milliseconds kCutAgain{20};
constexpr std::chrono::hours kLongestSleep{1};  // far from the end of the clock's range

}  // namespace

Watchdog::Watchdog() : thread_([this](const std::stop_token& stop) { run(stop); }) {}

SteadyTime Watchdog::cut_overdue(SteadyTime now) {
  SteadyTime next = now + kLongestSleep;
  for (auto& [id, call] : calls_) {
    const bool overdue = call.expired || call.due <= now;
    if (overdue) call.connection->cut();
    next = std::min(next, overdue ? now + kCutAgain : call.due);
  }
  return next;
}

void Watchdog::run(const std::stop_token& stop) {
  const SystemClock clock;
  Lock lock(mutex_);
  while (!stop.stop_requested()) {
    dirty_ = false;
    next_look_ = cut_overdue(clock.monotonic());
    changed_.wait_until(lock, stop, next_look_,
                        [this]() WEIR_ATTRIBUTE(no_thread_safety_analysis) { return dirty_; });
  }
}

std::uint64_t Watchdog::add(Connection& connection, SteadyTime due) {
  Lock lock(mutex_);
  calls_.emplace(++last_id_, Call{&connection, due});
  // Most calls end long before the thread would have to look at them.
  if (due < next_look_) {
    dirty_ = true;
    changed_.notify_one();
  }
  return last_id_;
}

Watchdog::Guard::Guard(Watchdog& watchdog, Connection& connection, SteadyTime due)
    : watchdog_(watchdog), id_(watchdog.add(connection, due)) {}

Watchdog::Guard::~Guard() {
  Lock lock(watchdog_.mutex_);
  watchdog_.calls_.erase(id_);
}

void Watchdog::Guard::lift() {
  Lock lock(watchdog_.mutex_);
  watchdog_.calls_.at(id_).due = SteadyTime::max();
}

void Watchdog::Guard::expire() {
  {
    Lock lock(watchdog_.mutex_);
    watchdog_.calls_.at(id_).expired = true;
    watchdog_.dirty_ = true;
  }
  watchdog_.changed_.notify_one();
}

}  // namespace weir
