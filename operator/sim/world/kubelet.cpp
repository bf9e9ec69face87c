#include "sim/world/kubelet.h"

#include "api/meta.h"
#include "base/time_format.h"
#include "sim/world/pods.h"

namespace weir::sim {
namespace {

constexpr SimTime kForever = SimTime::max();
constexpr SimTime kCrashesAfter = seconds(4);
constexpr SimTime kCrashLasts = seconds(10);
constexpr SimTime kFlapLasts = seconds(4);
// After a disturbance: the pod has recovered, or another one has started and is ready for minReadySeconds.
constexpr SimTime kMending = seconds(40);

std::string revision_of_pod(const Json& pod) {
  return json_text(pod, {"metadata", "labels", marks::kRevision});
}

bool begins_with(const std::string& text, std::string_view prefix) {
  return text.rfind(prefix, 0) == 0;
}

}  // namespace

SimTime Kubelet::disturbed_until(const std::string& revision) const {
  const auto found = disturbed_.find(revision);
  return found == disturbed_.end() ? SimTime(0) : found->second;
}

std::optional<SimTime> Kubelet::reconcile() {
  disturb();
  std::map<std::string, Life> lives;
  std::optional<SimTime> again = earlier(next_eviction_, next_flap_);
  for (const auto& pod : scene_.server.all(kPod)) {
    const auto name = json_text(*pod, {"metadata", "name"});
    const auto known = lives_.find(name);
    auto& life = lives[name] = known == lives_.end() ? begin(image_of(*pod)) : known->second;
    again = earlier(again, live(*pod, life));
  }
  lives_ = std::move(lives);
  return again;
}

Kubelet::Life Kubelet::begin(const std::string& image) const {
  Life life;
  life.ready_at =
      scene_.now() + scene_.between(scene_.options.pod_start_min, scene_.options.pod_start_max);
  life.fails_at = kForever;
  if (begins_with(image, "pull-") || begins_with(image, "never-")) life.ready_at = kForever;
  if (begins_with(image, "crash-")) {
    life.fails_at = life.ready_at + kCrashesAfter;
    life.failure_lasts = kCrashLasts;
  }
  return life;
}

std::optional<SimTime> Kubelet::live(const Json& pod, Life& life) {
  const auto now = scene_.now();
  const auto deleted = parse_time(json_text(pod, {"metadata", "deletionTimestamp"}));
  if (deleted) {
    const auto ends = scene_.clock.elapsed_at(*deleted) + scene_.options.pod_grace;
    if (now < ends) return ends;
    scene_.server.drop(kPod, key_of(pod));
    return std::nullopt;
  }
  if (now >= life.fails_at) {
    life.ready_at = life.fails_at + life.failure_lasts;
    const bool crashes = begins_with(image_of(pod), "crash-");
    life.fails_at = crashes ? life.ready_at + kCrashesAfter : kForever;
    if (crashes) blame_world(revision_of_pod(pod));
  }
  const bool ready = now >= life.ready_at;
  if (ready != is_ready(pod)) set_ready(pod, ready);
  const auto next = ready ? life.fails_at : life.ready_at;
  return next == kForever ? std::nullopt : std::optional(next);
}

void Kubelet::set_ready(const Json& pod, bool ready) {
  Json status{{"phase", "Running"},
              {"conditions", Json::array({ready_condition(ready, scene_.clock.now())})}};
  scene_.server.set_status(kPod, key_of(pod), status);
}

// An eviction takes a pod away; a flap leaves it but not ready. One of those that are ready, drawn.
void Kubelet::disturb() {
  const bool evicts = next_eviction_ && scene_.now() >= *next_eviction_;
  const bool flaps = next_flap_ && scene_.now() >= *next_flap_;
  if (!evicts && !flaps) return;
  if (evicts) next_eviction_ = scene_.next_after(scene_.faults.eviction_gap);
  if (flaps) next_flap_ = scene_.next_after(scene_.faults.flap_gap);
  auto ready = scene_.server.all(kPod);
  std::erase_if(ready, [](const auto& pod) { return !is_ready(*pod); });
  if (ready.empty()) return;
  const auto chosen =
      static_cast<std::size_t>(static_cast<double>(ready.size()) * scene_.random.uniform());
  const Json& pod = *ready[chosen];
  blame_world(revision_of_pod(pod));
  if (evicts) return delete_gracefully(scene_, pod);
  auto& life = lives_[json_text(pod, {"metadata", "name"})];
  life.fails_at = scene_.now();
  life.failure_lasts = kFlapLasts;
}

void Kubelet::blame_world(const std::string& revision) {
  disturbed_[revision] = scene_.now() + kMending;
}

}  // namespace weir::sim
