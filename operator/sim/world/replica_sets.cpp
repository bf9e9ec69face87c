#include "sim/world/replica_sets.h"

#include <fmt/format.h>

#include <algorithm>

#include "kube/kinds.h"
#include "sim/world/pods.h"

namespace weir::sim {
namespace {

constexpr SimTime kQuotaLasts = seconds(10);
constexpr SimTime kQuotaRetry = seconds(2);

// Who goes first when there are too many: pods that are not ready, then the youngest.
bool goes_before(const ApiServer::Held& a, const ApiServer::Held& b) {
  const auto rank = [](const Json& pod) {
    return std::make_pair(is_ready(pod), json_text(pod, {"metadata", "name"}));
  };
  const auto [a_ready, a_name] = rank(*a);
  const auto [b_ready, b_name] = rank(*b);
  return a_ready != b_ready ? b_ready : a_name > b_name;
}

}  // namespace

std::optional<SimTime> ReplicaSets::reconcile() {
  std::map<std::string, Pods> by_owner;
  for (const auto& pod : scene_.server.all(kPod)) {
    const Json& owners = json_at(*pod, {"metadata", "ownerReferences"});
    if (owners.is_array() && !owners.empty())
      by_owner[json_text(owners.front(), {"uid"})].push_back(pod);
  }
  std::optional<SimTime> again;
  for (const auto& set : scene_.server.all(kinds::kReplicaSet))
    again = earlier(again, reconcile_one(*set, by_owner[json_text(*set, {"metadata", "uid"})]));
  return again;
}

std::optional<SimTime> ReplicaSets::reconcile_one(const Json& set, Pods pods) {
  std::erase_if(pods, [](const auto& pod) { return is_deleting(*pod); });
  const auto min_ready = SimTime(seconds(json_int(set, {"spec", "minReadySeconds"})));
  std::optional<SimTime> again;
  int ready = 0;
  int available = 0;
  for (const auto& pod : pods) {
    const auto since = ready_since(scene_.clock, *pod);
    if (!since) continue;
    ++ready;
    if (*since + min_ready <= scene_.now())
      ++available;
    else
      again = earlier(again, *since + min_ready);
  }
  const Json status{{"replicas", pods.size()},
                    {"readyReplicas", ready},
                    {"availableReplicas", available},
                    {"observedGeneration", json_int(set, {"metadata", "generation"})}};
  again = earlier(again, scale(set, pods));
  scene_.server.set_status(kinds::kReplicaSet, key_of(set), status);
  return again;
}

std::optional<SimTime> ReplicaSets::scale(const Json& set, const Pods& pods) {
  const auto wanted = static_cast<std::size_t>(json_int(set, {"spec", "replicas"}, 1));
  if (pods.size() < wanted && quota_refuses()) return scene_.now() + kQuotaRetry;
  for (auto i = pods.size(); i < wanted; ++i) create_pod(set);
  if (pods.size() <= wanted) return std::nullopt;
  auto victims = pods;
  std::sort(victims.begin(), victims.end(), goes_before);
  victims.resize(pods.size() - wanted);
  for (const auto& pod : victims) delete_gracefully(scene_, *pod);
  return std::nullopt;
}

void ReplicaSets::create_pod(const Json& set) {
  const auto key = key_of(set);
  Json pod = json_at(set, {"spec", "template"});
  pod["apiVersion"] = "v1";
  pod["kind"] = "Pod";
  // Names rise with time, so that the youngest can be told.
  pod["metadata"]["name"] = fmt::format("{}-{:05}", key.name, ++pods_);
  pod["metadata"]["namespace"] = key.ns;
  pod["metadata"]["ownerReferences"] =
      Json::array({Json{{"apiVersion", "apps/v1"},
                        {"kind", "ReplicaSet"},
                        {"name", key.name},
                        {"uid", json_text(set, {"metadata", "uid"})},
                        {"controller", true}}});
  (void)scene_.server.create(kPod, key.ns, pod, false, Deadline(SteadyTime::max()));
}

bool ReplicaSets::quota_refuses() {
  const auto now = scene_.now();
  if (scene_.faults.quota_gap <= SimTime(0)) return false;
  if (next_quota_ && now >= *next_quota_) {
    quota_until_ = now + kQuotaLasts;
    next_quota_ = scene_.next_after(scene_.faults.quota_gap);
  }
  return now < quota_until_;
}

}  // namespace weir::sim
