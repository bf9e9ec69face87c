// Keys in, passes out: the threads around a WorkQueue. Each pass is observe → decide (the Reconciler) → execute.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "runtime/executor.h"
#include "runtime/metrics.h"
#include "runtime/reconciler.h"
#include "runtime/work_queue.h"

namespace weir {

class Controller {
 public:
  // References must outlive the controller.
  Controller(const Reconciler& reconciler, Executor& executor, const Clock& clock, Metrics& metrics)
      : reconciler_(reconciler), executor_(executor), clock_(clock), metrics_(metrics) {}

  // Thread-safe; cheap.
  void enqueue(const ObjectKey& key);

  void start(int workers);
  // Takes no new key, lets each worker end the pass in hand, and joins.
  void stop();

  // One pass over a key, and when to make the next one; `start`ed workers call this. Public for tests and the simulator.
  void pass(const ObjectKey& key);
  // The next due key, now taken; nothing when none is due. The caller owes a `pass`.
  std::optional<ObjectKey> take_due();
  std::optional<SteadyTime> next_due();

 private:
  struct Outcome {
    Result<void> done;
    std::optional<WallTime> look_again;
  };

  void work(const std::stop_token& stop);
  Outcome decide_and_execute(const ObjectKey& key, WallTime now, const Error* refused);
  void settle(const ObjectKey& key, const Outcome& outcome, WallTime now);
  void settle_failure(const ObjectKey& key, const Error& error, SteadyTime now) REQUIRES(mutex_);

  const Reconciler& reconciler_;
  Executor& executor_;
  const Clock& clock_;
  Metrics& metrics_;

  Mutex mutex_;
  std::condition_variable_any wake_;
  WorkQueue queue_ GUARDED_BY(mutex_);
  std::map<ObjectKey, Error> refused_ GUARDED_BY(mutex_);
  std::vector<std::jthread> workers_;
};

}  // namespace weir
