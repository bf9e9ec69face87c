#include "runtime/controller.h"

#include "base/log.h"
#include "base/sim_point.h"

namespace weir {
namespace {

constexpr milliseconds kLongestConflict{
    2000};  // observe again soon: only the cache has to catch up
constexpr milliseconds kLongestTransient{
    5000};  // the server is away; a rollback may be waiting for it
// A changed input wakes the key anyway; a foreign object that stood in the way and goes tells us nothing.
constexpr milliseconds kLongestRefused{60'000};
constexpr milliseconds kInternalRest{300'000};
constexpr milliseconds kDefaultRetryAfter{1000};
// A write that was given up may come through as late as this: nothing is decided on a world that it is about to change.
constexpr milliseconds kOnTheWay{3000};

bool is_refusal(const Error& error) {
  return error.kind == ErrorKind::Invalid || error.kind == ErrorKind::Forbidden;
}

milliseconds longest_back_off(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::NotFound:
    case ErrorKind::AlreadyExists:
    case ErrorKind::Gone:
    case ErrorKind::Conflict: return kLongestConflict;
    case ErrorKind::Invalid:
    case ErrorKind::Forbidden: return kLongestRefused;
    case ErrorKind::Throttled:
    case ErrorKind::Unavailable:
    case ErrorKind::Timeout:
    case ErrorKind::Parse: return kLongestTransient;
    case ErrorKind::Shutdown:
    case ErrorKind::Internal: return kInternalRest;
  }
  return kInternalRest;
}

void log_failure(std::string_view controller, const ObjectKey& key, const Error& error) {
  if (error.kind == ErrorKind::Conflict || error.kind == ErrorKind::Shutdown) return;
  const auto log = error.kind == ErrorKind::Internal ? log_error : log_warn;
  log(error.kind == ErrorKind::Internal ? "broken invariant" : "pass ended early",
      {{"controller", controller}, {"key", to_string(key)}, {"error", to_string(error)}});
}

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
  const auto outcome = decide_and_execute(key, now, refused ? &*refused : nullptr);
  settle(key, outcome, now);
  const auto spent =
      std::chrono::duration_cast<std::chrono::microseconds>(clock_.monotonic() - begun);
  const auto& done = outcome.done;
  metrics_.count_reconcile(reconciler_.name(), done ? "done" : to_string(done.error().kind),
                           spent.count());
}

// The last catch: a broken invariant stops one object, not the process.
Controller::Outcome Controller::decide_and_execute(const ObjectKey& key, WallTime now,
                                                   const Error* refused) {
  try {
    const Plan plan = reconciler_.plan(key, now, refused);
    return {executor_.run(plan), plan.look_again};
  } catch (const std::exception& e) {
    return {Error{ErrorKind::Internal, e.what()}, std::nullopt};
  }
}

// The one place where an outcome becomes the key's future.
void Controller::settle(const ObjectKey& key, const Outcome& outcome, WallTime now) {
  const auto& done = outcome.done;
  const auto steady = clock_.monotonic();
  {
    Lock lock(mutex_);
    if (done) {
      queue_.forget_failures(key);
      // What was refused has now been accepted: look once more, so that the status stops saying so.
      if (refused_.erase(key) != 0) queue_.add(key, steady);
    } else {
      settle_failure(key, done.error(), steady);
    }
    // A refused write must not make us miss the time to look at what is being served; other failures pass soon.
    if (outcome.look_again && (done || is_refusal(done.error())))
      queue_.add(key, steady + std::max(*outcome.look_again - now, WallTime::duration(0)));
    queue_.done(key);
    metrics_.set_queue_depth(reconciler_.name(), queue_.waiting());
  }
  wake_.notify_one();
  if (!done) log_failure(reconciler_.name(), key, done.error());
}

void Controller::settle_failure(const ObjectKey& key, const Error& error, SteadyTime now) {
  if (error.kind == ErrorKind::Internal) return queue_.add(key, now + kInternalRest);
  if (is_refusal(error)) reached(SimPoint::RefusedOnce);
  if (error.kind == ErrorKind::Throttled) reached(SimPoint::Throttled);
  if (is_refusal(error)) refused_.insert_or_assign(key, error);
  if (error.kind == ErrorKind::Throttled)
    queue_.hold(key, now + error.retry_after.value_or(kDefaultRetryAfter));
  if (error.kind == ErrorKind::Timeout) queue_.hold(key, now + kOnTheWay);
  queue_.add(key, now + queue_.next_back_off(key, longest_back_off(error.kind)));
}

}  // namespace weir
