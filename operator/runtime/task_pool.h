// A few threads for blocking questions to metric sources, so that workers never wait for anybody else's server.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace weir {

inline constexpr std::size_t kTaskQueueMax = 4096;  // tasks

// Thread-safe. Tasks must bound their own time and should heed the stop token. The destructor stops and joins; tasks that have
// not begun are dropped.
class TaskPool {
 public:
  using Task = std::function<void(const std::stop_token&)>;

  explicit TaskPool(int threads);
  ~TaskPool();
  TaskPool(const TaskPool&) = delete;
  TaskPool& operator=(const TaskPool&) = delete;

  // False when the queue is full or closed: the task will not run.
  bool submit(Task task);
  void stop();

 private:
  void work(const std::stop_token& stop);

  Mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<Task> tasks_ GUARDED_BY(mutex_);
  bool closed_ GUARDED_BY(mutex_) = false;
  std::vector<std::jthread> threads_;
};

}  // namespace weir
