#include "app/feeds.h"

#include "api/codec.h"
#include "kube/kinds.h"

namespace weir {
namespace {

// The Release that a child belongs to, by its label: owner references say the same but EndpointSlices have another owner.
template <typename T>
typename StoreSink<T>::OnChange wake_release(const Feeds::Enqueue& enqueue) {
  return [enqueue](const T* before, const T* after) {
    const ObjectMeta& meta = after ? after->meta : before->meta;
    const auto release = meta.labels.find(marks::kRelease);
    if (release != meta.labels.end()) enqueue({meta.key.ns, release->second});
  };
}

StoreSink<Release>::OnChange on_release(ReleaseCaches& caches, EvidenceBook& evidence,
                                        ConfigBook& config, const Feeds::Enqueue& enqueue) {
  return [enqueue, &caches, &evidence, &config](const Release* before, const Release* after) {
    const ObjectKey& key = (after ? after : before)->meta.key;
    if (!after) evidence.forget(before->meta.uid);
    if (!after) config.forget(before->meta.uid);
    // Once a revision serves, or nobody asks any more.
    if (!after || after->status.stable) caches.sightings.forget(key);
    enqueue(key);
  };
}

StoreSink<CanaryPolicy>::OnChange on_policy(const ReleaseCaches& caches,
                                            const Feeds::Enqueue& enqueue_release,
                                            const Feeds::Enqueue& enqueue_policy) {
  return [=, &caches](const CanaryPolicy* before, const CanaryPolicy* after) {
    const ObjectKey& key = (after ? after : before)->meta.key;
    enqueue_policy(key);
    for (const auto& release : caches.releases.in_group(to_string(key)))
      enqueue_release(release->meta.key);
  };
}

}  // namespace

Feeds::Feeds(ReleaseCaches& caches, EvidenceBook& evidence, ConfigBook& config,
             const Enqueue& enqueue_release, const Enqueue& enqueue_policy, bool adoption)
    : releases_(caches.releases, decode_release,
                on_release(caches, evidence, config, enqueue_release)),
      policies_(caches.policies, decode_policy, on_policy(caches, enqueue_release, enqueue_policy)),
      replica_sets_(caches.replica_sets, decode_replica_set,
                    wake_release<ReplicaSetView>(enqueue_release)),
      services_(caches.services, decode_raw, wake_release<RawObject>(enqueue_release)),
      endpoint_slices_(caches.endpoint_slices, decode_endpoint_slice,
                       wake_release<EndpointSliceView>(enqueue_release)),
      pods_(caches.pods, decode_pod, wake_release<PodView>(enqueue_release)),
      routes_(caches.routes, decode_raw, wake_release<RawObject>(enqueue_release)),
      deployments_(caches.deployments, decode_deployment,
                   wake_release<DeploymentView>(enqueue_release)) {
  const std::string ours(marks::kRelease);
  add(kinds::kCanaryPolicy, "", policies_);
  add(kinds::kRelease, "", releases_);
  add(kinds::kReplicaSet, ours, replica_sets_);
  add(kinds::kService, ours, services_);
  add(kinds::kEndpointSlice, ours, endpoint_slices_);
  add(kinds::kPod, ours, pods_);
  add(kinds::kHttpRoute, ours, routes_);
  if (adoption) add(kinds::kDeployment, ours, deployments_);
}

template <typename T>
void Feeds::add(const Kind& kind, const std::string& labels, StoreSink<T>& sink) {
  feeds_.push_back({kind, labels, &sink, [&sink](const Json& object) { sink.put_own(object); }});
}

void Feeds::put_own(const Kind& kind, const Json& object) const {
  for (const auto& feed : feeds_) {
    if (feed.kind == kind) feed.put_own(object);
  }
}

}  // namespace weir
