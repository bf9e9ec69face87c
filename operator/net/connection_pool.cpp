#include "net/connection_pool.h"

namespace weir {
namespace {

constexpr seconds kMaxIdleTime{30};  // shorter than what servers and load balancers allow

}  // namespace

Result<std::unique_ptr<Connection>> ConnectionPool::take() {
  const SteadyTime oldest = SystemClock().monotonic() - kMaxIdleTime;
  for (;;) {
    Idle candidate{};  // one that is not good enough closes here, outside the lock
    {
      Lock lock(mutex_);
      if (idle_.empty()) break;
      candidate = std::move(idle_.back());
      idle_.pop_back();
    }
    if (candidate.since >= oldest && !candidate.connection->stale())
      return std::move(candidate.connection);
  }
  return make();
}

void ConnectionPool::give(std::unique_ptr<Connection> connection) {
  const SteadyTime now = SystemClock().monotonic();
  Lock lock(mutex_);
  if (idle_.size() < max_idle_) idle_.push_back({std::move(connection), now});
}

}  // namespace weir
