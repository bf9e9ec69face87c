#include "runtime/controller.h"

#include "base/log.h"

namespace weir {
namespace {

constexpr milliseconds kLongestConflict{
    2000};  // observe again soon: only the cache has to catch up
constexpr milliseconds kLongestTransient{
    5000};  // the server is away; a rollback may be waiting for it
constexpr milliseconds kLongestRefused{
    600'000};  // until somebody changes the input, which wakes the key anyway
constexpr milliseconds kLongestInternal{300'000};

}  // namespace

void Controller::enqueue(const ObjectKey& key) {
  {
    Lock lock(mutex_);
    queue_.add(key, clock_.monotonic());
  }
  wake_.notify_one();
}

void Controller::start(int workers) {
  for (int i = 0; i < workers; ++i)
    workers_.emplace_back([this](const std::stop_token& stop) { work(stop); });
}

void Controller::stop() {
  for (auto& worker : workers_) worker.request_stop();
  wake_.notify_all();
  workers_.clear();
}

std::optional<ObjectKey> Controller::take_due() {
  Lock lock(mutex_);
  return queue_.take(clock_.monotonic());
}

std::optional<SteadyTime> Controller::next_due() {
  Lock lock(mutex_);
  return queue_.next_due();
}

void Controller::work(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (const auto key = take_due()) {
      pass(*key);
      continue;
    }
    Lock lock(mutex_);
    const auto due = queue_.next_due();
    // Woken by enqueue, stop or the time; which one does not matter, the loop looks again.
    const auto has_earlier = [this, due]() WEIR_ATTRIBUTE(no_thread_safety_analysis) {
      return queue_.next_due() < due || (queue_.next_due() && !due);
    };
    if (due)
      wake_.wait_until(lock, stop, *due, has_earlier);
    else
      wake_.wait(lock, stop, has_earlier);
  }
}

void Controller::pass(const ObjectKey& key) {
  const auto begun = clock_.monotonic();
  const auto now = clock_.now();
  std::optional<Error> refused;
  {
    Lock lock(mutex_);
    const auto found = refused_.find(key);
    if (found != refused_.end()) refused = found->second;
  }
  const Plan plan = plan_or_quarantine(key, now, refused ? &*refused : nullptr);
  const auto done = executor_.run(plan);
  settle(key, plan, done, now);
  const auto spent =
      std::chrono::duration_cast<std::chrono::microseconds>(clock_.monotonic() - begun);
  metrics_.count_reconcile(reconciler_.name(), done ? "done" : to_string(done.error().kind),
                           spent.count());
}

// The last catch: a broken invariant stops one object, not the process.
Plan Controller::plan_or_quarantine(const ObjectKey& key, WallTime now, const Error* refused) {
  try {
    return reconciler_.plan(key, now, refused);
  } catch (const std::exception& e) {
    log_error("broken invariant",
              {{"controller", reconciler_.name()}, {"key", to_string(key)}, {"what", e.what()}});
    Plan plan;
    plan.look_again = now + kLongestInternal;
    return plan;
  }
}

// The one place where an outcome becomes the key's future.
void Controller::settle(const ObjectKey& key, const Plan& plan, const Result<void>& done,
                        WallTime now) {
  const auto steady = clock_.monotonic();
  {
    Lock lock(mutex_);
    if (done) {
      queue_.forget_failures(key);
      // What was refused has now been accepted: look once more, so that the status stops saying so.
      if (refused_.erase(key) != 0) queue_.add(key, steady);
      if (plan.look_again)
        queue_.add(key, steady + std::max(*plan.look_again - now, WallTime::duration(0)));
    } else {
      queue_.add(key, steady + back_off(key, done.error()));
    }
    queue_.done(key);
    metrics_.set_queue_depth(reconciler_.name(), queue_.waiting());
  }
  wake_.notify_one();
  if (!done && done.error().kind != ErrorKind::Conflict && done.error().kind != ErrorKind::Shutdown)
    log_warn("pass ended early", {{"controller", reconciler_.name()},
                                  {"key", to_string(key)},
                                  {"error", to_string(done.error())}});
}

milliseconds Controller::back_off(const ObjectKey& key, const Error& error) {
  const auto pause = [&](milliseconds longest) { return queue_.next_back_off(key, longest); };
  switch (error.kind) {
    case ErrorKind::NotFound:
    case ErrorKind::AlreadyExists:
    case ErrorKind::Gone:
    case ErrorKind::Conflict: return pause(kLongestConflict);
    case ErrorKind::Invalid:
    case ErrorKind::Forbidden: refused_.insert_or_assign(key, error); return pause(kLongestRefused);
    case ErrorKind::Throttled:
      return std::max(pause(kLongestTransient), error.retry_after.value_or(milliseconds(1000)));
    case ErrorKind::Unavailable:
    case ErrorKind::Timeout:
    case ErrorKind::Parse: return pause(kLongestTransient);
    case ErrorKind::Shutdown:
    case ErrorKind::Internal: return pause(kLongestInternal);
  }
  return kLongestInternal;
}

}  // namespace weir
