#include "app/watches.h"

#include <algorithm>

#include "api/codec.h"
#include "kube/kinds.h"

namespace weir {
namespace {

// The Release that a child belongs to, by its label: owner references say the same but EndpointSlices have another owner.
template <typename T>
typename StoreSink<T>::OnChange wake_release(const Enqueue& enqueue) {
  return [enqueue](const T* before, const T* after) {
    const ObjectMeta& meta = after ? after->meta : before->meta;
    const auto release = meta.labels.find(marks::kRelease);
    if (release != meta.labels.end()) enqueue({meta.key.ns, release->second});
  };
}

}  // namespace

Watches::Watches(ApiClient& api, ReleaseCaches& caches, EvidenceBook& evidence, const Clock& clock,
                 Random& random, const std::string& ns, Enqueue enqueue_release,
                 Enqueue enqueue_policy)
    : api_(api),
      caches_(caches),
      clock_(clock),
      random_(random),
      ns_(ns),
      releases_(caches.releases, decode_release,
                [enqueue_release, &evidence](const Release* before, const Release* after) {
                  if (!after) evidence.forget(before->meta.uid);
                  enqueue_release((after ? after : before)->meta.key);
                }),
      policies_(caches.policies, decode_policy,
                [enqueue_release, enqueue_policy, &caches](const CanaryPolicy* before,
                                                           const CanaryPolicy* after) {
                  const ObjectKey& key = (after ? after : before)->meta.key;
                  enqueue_policy(key);
                  for (const auto& release : caches.releases.in_group(to_string(key)))
                    enqueue_release(release->meta.key);
                }),
      replica_sets_(caches.replica_sets, decode_replica_set,
                    wake_release<ReplicaSetView>(enqueue_release)),
      services_(caches.services, decode_raw, wake_release<RawObject>(enqueue_release)),
      endpoint_slices_(caches.endpoint_slices, decode_endpoint_slice,
                       wake_release<EndpointSliceView>(enqueue_release)),
      routes_(caches.routes, decode_raw, wake_release<RawObject>(enqueue_release)) {
  const std::string ours(marks::kRelease);
  watch(kinds::kCanaryPolicy, "", policies_);
  watch(kinds::kRelease, "", releases_);
  watch(kinds::kReplicaSet, ours, replica_sets_);
  watch(kinds::kService, ours, services_);
  watch(kinds::kEndpointSlice, ours, endpoint_slices_);
  watch(kinds::kHttpRoute, ours, routes_);
}

template <typename T>
void Watches::watch(const Kind& kind, const std::string& labels, StoreSink<T>& sink) {
  own_writes_.emplace_back(kind, [&sink](const Json& object) { sink.put_own(object); });
  loops_.push_back(
      std::make_unique<WatchLoop>(WatchScope{kind, {ns_, labels}}, api_, sink, clock_, random_));
}

void Watches::start() {
  for (auto& loop : loops_)
    threads_.emplace_back([&loop](const std::stop_token& stop) { loop->run(stop); });
}

void Watches::stop() {
  for (auto& thread : threads_) thread.request_stop();
  threads_.clear();
}

bool Watches::synced() const {
  return std::all_of(loops_.begin(), loops_.end(), [](const auto& loop) { return loop->synced(); });
}

void Watches::put_own(const Kind& kind, const Json& object) {
  for (const auto& [watched, put] : own_writes_) {
    if (watched == kind) put(object);
  }
}

void Watches::report(Metrics& metrics) const {
  metrics.set_objects(kinds::kRelease.name, caches_.releases.size());
  metrics.set_objects(kinds::kCanaryPolicy.name, caches_.policies.size());
  metrics.set_objects(kinds::kReplicaSet.name, caches_.replica_sets.size());
  metrics.set_objects(kinds::kService.name, caches_.services.size());
  metrics.set_objects(kinds::kEndpointSlice.name, caches_.endpoint_slices.size());
  metrics.set_objects(kinds::kHttpRoute.name, caches_.routes.size());
}

}  // namespace weir
