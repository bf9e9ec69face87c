#include "runtime/lease_loop.h"

#include "base/json.h"
#include "base/log.h"
#include "base/wait.h"
#include "kube/kinds.h"

namespace weir {
namespace {

constexpr milliseconds kReleaseDeadline{3'000};

}  // namespace

void LeaseLoop::run(const std::stop_token& stop) {
  using Do = LeaseElector::Next::Do;
  while (!stop.stop_requested()) {
    const auto next = elector_.next();
    if (next.what == Do::Lost) {
      metrics_.set_leader(false);
      return on_lost_(elector_.last_error());
    }
    if (next.what == Do::Wait) {
      wait_until(next.until, stop);
    } else {
      ask(next);
      report();
    }
  }
}

void LeaseLoop::ask(const LeaseElector::Next& next) {
  using Do = LeaseElector::Next::Do;
  const Deadline deadline(next.until);
  const auto& key = elector_.key();
  if (next.what == Do::Read)
    elector_.on_read(api_.get(kinds::kLease, key, deadline));
  else if (next.what == Do::Create)
    elector_.on_written(api_.create(kinds::kLease, key.ns, next.body, false, deadline));
  else
    elector_.on_written(
        api_.patch(kinds::kLease, key, {Patch::Type::JsonMerge, dump_json(next.body)}, deadline));
}

void LeaseLoop::release() {
  const auto patch = elector_.release();
  metrics_.set_leader(false);
  if (!patch) return;
  const auto done =
      api_.patch(kinds::kLease, elector_.key(), {Patch::Type::JsonMerge, dump_json(*patch)},
                 Deadline::after(clock_, kReleaseDeadline));
  if (done)
    log_info("lease released", {{"lease", to_string(elector_.key())}});
  else
    log_warn("lease not released; it will expire", {{"error", to_string(done.error())}});
}

bool LeaseLoop::wait_for(Place least, const std::stop_token& stop) {
  Lock lock(mutex_);
  const auto reached = [this, least]()
                           WEIR_ATTRIBUTE(no_thread_safety_analysis) { return place_ >= least; };
  return changed_.wait(lock, stop, reached);
}

void LeaseLoop::report() {
  const bool leads = elector_.leads();
  metrics_.set_leader(leads);
  metrics_.set_lease_transitions(elector_.transitions());
  const auto lease = to_string(elector_.key());
  if (elector_.last_error() != reported_error_) {
    reported_error_ = elector_.last_error();
    if (!reported_error_.empty())
      log_warn("lease not reached", {{"lease", lease}, {"error", reported_error_}});
  }
  // Free, and not ours yet: the attempt to take it comes next.
  if (!leads && !elector_.held_by_another()) return;
  if (elector_.holder() != reported_leader_) {
    reported_leader_ = elector_.holder();
    log_info(leads ? "leading" : "standing by", {{"lease", lease}, {"leader", reported_leader_}});
  }
  {
    Lock lock(mutex_);
    place_ = leads ? Place::Leader : Place::Standby;
  }
  changed_.notify_all();
}

}  // namespace weir
