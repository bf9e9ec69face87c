#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <stop_token>
#include <thread>

#include "base/clock.h"
#include "base/mutex.h"
#include "net/connection.h"

namespace weir {

// Cuts the connections of calls that are overdue or were told to stop, again and again until they return: a cut hits only
// the socket of that moment. One thread. Thread-safe.
class Watchdog {
 public:
  Watchdog();

  // Guards one exchange, from construction to destruction. Thread-safe.
  class Guard {
   public:
    // Both must outlive the guard.
    Guard(Watchdog& watchdog, Connection& connection, SteadyTime due);
    ~Guard();
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

    void lift();    // no due time any more
    void expire();  // cut now; lift() does not undo it

   private:
    Watchdog& watchdog_;
    const std::uint64_t id_;
  };

 private:
  struct Call {
    Connection* connection;
    SteadyTime due;
    bool expired = false;
  };

  std::uint64_t add(Connection& connection, SteadyTime due);
  void run(const std::stop_token& stop);
  SteadyTime cut_overdue(SteadyTime now) REQUIRES(mutex_);

  Mutex mutex_;
  std::condition_variable_any changed_;
  bool dirty_ GUARDED_BY(mutex_) = false;
  std::uint64_t last_id_ GUARDED_BY(mutex_) = 0;
  SteadyTime next_look_ GUARDED_BY(mutex_) = SteadyTime::max();
  std::map<std::uint64_t, Call> calls_ GUARDED_BY(mutex_);
  std::jthread thread_;  // last: it must end before the rest goes
};

}  // namespace weir
