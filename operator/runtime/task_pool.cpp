#include "runtime/task_pool.h"

#include "base/log.h"

namespace weir {

TaskPool::TaskPool(int threads) {
  for (int i = 0; i < threads; ++i)
    threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
}

TaskPool::~TaskPool() { stop(); }

bool TaskPool::submit(Task task) {
  {
    Lock lock(mutex_);
    if (closed_ || tasks_.size() >= kTaskQueueMax) return false;
    tasks_.push_back(std::move(task));
  }
  wake_.notify_one();
  return true;
}

void TaskPool::stop() {
  {
    Lock lock(mutex_);
    closed_ = true;
    tasks_.clear();
  }
  for (auto& thread : threads_) thread.request_stop();
  threads_.clear();
}

void TaskPool::work(const std::stop_token& stop) {
  while (true) {
    Task task;
    {
      Lock lock(mutex_);
      const auto ready = [this]()
                             WEIR_ATTRIBUTE(no_thread_safety_analysis) { return !tasks_.empty(); };
      if (!wake_.wait(lock, stop, ready)) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    try {
      task(stop);
    } catch (const std::exception& e) {
      log_error("broken invariant in a task", {{"what", e.what()}});
    }
  }
}

}  // namespace weir
