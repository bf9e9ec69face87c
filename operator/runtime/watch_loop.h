// The thread around a Reflector: one per watched kind, with a connection of its own.
#pragma once

#include <atomic>
#include <memory>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/random.h"
#include "kube/api_client.h"
#include "runtime/reflector.h"

namespace weir {

struct WatchScope {
  Kind kind{};
  Selection selection{};
};

class WatchLoop {
 public:
  // All references must outlive the loop.
  WatchLoop(WatchScope scope, ApiClient& api, ObjectSink& sink, const Clock& clock, Random& random)
      : scope_(std::move(scope)), api_(api), clock_(clock), reflector_(sink, random) {}

  // Lists and watches until stop is requested. Call it once, on a thread of its own.
  void run(const std::stop_token& stop);

  // Thread-safe: a whole list has been seen; after a `refresh`, one that was begun later.
  bool synced() const { return synced_.load(); }
  // Thread-safe: ends the watch and lists anew, so that what had been written before this call is in the store when the loop is
  // synced again. Until then the store stays readable.
  void refresh();
  std::string_view kind() const { return scope_.kind.name; }

 private:
  void list(const std::string& next);
  void watch(const std::string& resource_version, const std::stop_token& stop);
  void report();
  bool take_refresh();

  WatchScope scope_;
  ApiClient& api_;
  const Clock& clock_;
  Reflector reflector_;
  std::atomic<bool> synced_ = false;
  Mutex mutex_;
  bool refresh_wanted_ GUARDED_BY(mutex_) = false;
  std::stop_source connection_ GUARDED_BY(mutex_);  // of the watch in progress
  std::string reported_error_;
};

}  // namespace weir
