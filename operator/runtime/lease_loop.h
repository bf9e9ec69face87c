// The thread around a LeaseElector: asks for the lease, keeps it, gives it back.
#pragma once

#include <condition_variable>
#include <functional>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/random.h"
#include "kube/api_client.h"
#include "runtime/lease_elector.h"
#include "runtime/metrics.h"

namespace weir {

class LeaseLoop {
 public:
  // Called on the loop's thread, once, when the lease is lost; must not return to ordinary work.
  using OnLost = std::function<void(const std::string& why)>;

  // All references must outlive the loop. `api` should have connections that nobody else can use up.
  LeaseLoop(ObjectKey key, std::string identity, ApiClient& api, const Clock& clock, Random& random,
            Metrics& metrics, OnLost on_lost)
      : elector_(std::move(key), std::move(identity), clock, random),
        api_(api),
        clock_(clock),
        metrics_(metrics),
        on_lost_(std::move(on_lost)) {}

  // Until stop is requested, or the lease lost. Call it once, on a thread of its own.
  void run(const std::stop_token& stop);

  // Gives the lease back if it is ours; at most 3 s. When `run` has returned and nobody writes any more.
  void release();

  // Thread-safe.
  const WriteFence& fence() const { return elector_; }
  // Blocks until the lease could be read once (it is then ours, or known to be another's); false: stop was requested.
  bool wait_until_known(const std::stop_token& stop) { return wait_for(Place::Standby, stop); }
  // Blocks until we lead; false: stop was requested.
  bool wait_until_leading(const std::stop_token& stop) { return wait_for(Place::Leader, stop); }

 private:
  enum class Place { Unknown, Standby, Leader };

  bool wait_for(Place least, const std::stop_token& stop);
  void ask(const LeaseElector::Next& next);
  void report();

  LeaseElector elector_;
  ApiClient& api_;
  const Clock& clock_;
  Metrics& metrics_;
  OnLost on_lost_;
  std::string reported_error_;
  std::string reported_leader_;
  Mutex mutex_;
  std::condition_variable_any changed_;
  Place place_ GUARDED_BY(mutex_) = Place::Unknown;
};

}  // namespace weir
