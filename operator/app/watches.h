// Which kinds are watched, where their objects are kept, and whom a change concerns.
#pragma once

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "delivery/evidence.h"
#include "delivery/release_caches.h"
#include "runtime/metrics.h"
#include "runtime/store_sink.h"
#include "runtime/watch_loop.h"

namespace weir {

using Enqueue = std::function<void(const ObjectKey&)>;

// References must outlive it.
class Watches {
 public:
  Watches(ApiClient& api, ReleaseCaches& caches, EvidenceBook& evidence, const Clock& clock,
          Random& random, const std::string& ns, Enqueue enqueue_release, Enqueue enqueue_policy);

  void start();
  void stop();          // and joins
  bool synced() const;  // every kind has been listed once: the caches may be acted on

  // The object that a write of ours returned.
  void put_own(const Kind& kind, const Json& object);

  void report(Metrics& metrics) const;

 private:
  template <typename T>
  void watch(const Kind& kind, const std::string& labels, StoreSink<T>& sink);

  ApiClient& api_;
  ReleaseCaches& caches_;
  const Clock& clock_;
  Random& random_;
  std::string ns_;
  StoreSink<Release> releases_;
  StoreSink<CanaryPolicy> policies_;
  StoreSink<ReplicaSetView> replica_sets_;
  StoreSink<RawObject> services_;
  StoreSink<EndpointSliceView> endpoint_slices_;
  StoreSink<RawObject> routes_;
  std::vector<std::pair<Kind, std::function<void(const Json&)>>> own_writes_;
  std::vector<std::unique_ptr<WatchLoop>> loops_;
  std::vector<std::jthread> threads_;
};

}  // namespace weir
