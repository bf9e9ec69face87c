// Which kinds feed the caches, where their objects are kept, and whom a change concerns. Passive: threads (watches.h) or the
// simulator drive it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "delivery/config_book.h"
#include "delivery/evidence.h"
#include "delivery/release_caches.h"
#include "runtime/store_sink.h"

namespace weir {

struct Feed {
  Kind kind{};
  std::string labels{};  // selector; "" = all
  ObjectSink* sink = nullptr;
  std::function<void(const Json&)> put_own{};
};

// References must outlive it.
class Feeds {
 public:
  using Enqueue = std::function<void(const ObjectKey&)>;

  // `adoption`: Deployments may be adopted, and those that are, are watched.
  Feeds(ReleaseCaches& caches, EvidenceBook& evidence, ConfigBook& config,
        const Enqueue& enqueue_release, const Enqueue& enqueue_policy, bool adoption = true);

  const std::vector<Feed>& all() const { return feeds_; }

  // The object that a write of ours returned. Thread-safe.
  void put_own(const Kind& kind, const Json& object) const;

 private:
  template <typename T>
  void add(const Kind& kind, const std::string& labels, StoreSink<T>& sink);

  StoreSink<Release> releases_;
  StoreSink<CanaryPolicy> policies_;
  StoreSink<ReplicaSetView> replica_sets_;
  StoreSink<RawObject> services_;
  StoreSink<EndpointSliceView> endpoint_slices_;
  StoreSink<PodView> pods_;
  StoreSink<RawObject> routes_;
  StoreSink<DeploymentView> deployments_;
  std::vector<Feed> feeds_;
};

}  // namespace weir
