#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "net/connection.h"

namespace weir {

// Keeps connections for the next call. Each is with one caller at a time. Thread-safe.
class ConnectionPool {
 public:
  ConnectionPool(Connection::Target target, std::size_t max_idle)
      : target_(std::move(target)), max_idle_(max_idle) {}

  // An idle connection that still looks alive, or a new one. Error kind: Invalid (TLS material).
  Result<std::unique_ptr<Connection>> take();

  // A new one that was never in the pool; need not be given back.
  Result<std::unique_ptr<Connection>> make() const { return Connection::make(target_); }

  // Only after an exchange that succeeded.
  void give(std::unique_ptr<Connection> connection);

 private:
  struct Idle {
    std::unique_ptr<Connection> connection;
    SteadyTime since;
  };

  const Connection::Target target_;
  const std::size_t max_idle_;
  Mutex mutex_;
  std::vector<Idle> idle_ GUARDED_BY(mutex_);  // longest idle first
};

}  // namespace weir
