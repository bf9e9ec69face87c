#include "sim/world/kubelet.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/meta.h"
#include "base/time_format.h"
#include "delivery/config.h"
#include "sim/world/pods.h"

namespace weir::sim {
namespace {

constexpr SimTime kForever = SimTime::max();
constexpr SimTime kCrashesAfter = seconds(4);
constexpr SimTime kFlapLasts = seconds(4);
constexpr SimTime kPullLasts = seconds(1);
constexpr SimTime kConfigAgain = seconds(1);
constexpr SimTime kBackOff = seconds(10);  // the first; each is twice the one before
constexpr SimTime kBackOffMost = seconds(40);
constexpr SimTime kEvictionLasts = seconds(1);  // from DisruptionTarget to the deletion, at most
// After a disturbance: the pod has recovered, was started again after the longest back-off, or another one has started and is
// ready for minReadySeconds.
constexpr SimTime kMending = kBackOffMost + SimTime(seconds(10));

std::string revision_of_pod(const Json& pod) {
  return json_text(pod, {"metadata", "labels", marks::kRevision});
}

bool begins_with(const std::string& text, std::string_view prefix) {
  return text.rfind(prefix, 0) == 0;
}

SimTime back_off(int failures) {
  return std::min(kBackOffMost, kBackOff * (1 << std::clamp(failures - 1, 0, 4)));
}

Json waiting(std::string_view reason, std::string_view message) {
  return Json{{"waiting", {{"reason", reason}, {"message", message}}}};
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
    if (is_of_job(*pod)) continue;
    const auto name = json_text(*pod, {"metadata", "name"});
    const auto known = lives_.find(name);
    auto& life = lives[name] = known == lives_.end() ? begin() : known->second;
    again = earlier(again, live(*pod, life));
  }
  lives_ = std::move(lives);
  return again;
}

Kubelet::Life Kubelet::begin() const {
  Life life;
  life.changed = scene_.now();
  life.until =
      scene_.now() + scene_.between(scene_.options.pod_start_min, scene_.options.pod_start_max);
  return life;
}

std::optional<SimTime> Kubelet::live(const Json& pod, Life& life) {
  using State = Life::State;
  const auto now = scene_.now();
  const auto deleted = parse_time(json_text(pod, {"metadata", "deletionTimestamp"}));
  if (deleted) {
    const auto ends = scene_.clock.elapsed_at(*deleted) + scene_.options.pod_grace;
    if (now < ends) return ends;
    scene_.server.drop(kPod, key_of(pod));
    return std::nullopt;
  }
  while (life.until <= now) {
    if (life.state == State::Creating && !read_config(pod, life)) break;
    const bool was_ready = life.state == State::Ready;
    move_on(image_of(pod), life);
    if (was_ready != (life.state == State::Ready)) life.changed = now;
    if (was_ready) blame_world(revision_of_pod(pod));
    life.told = false;
  }
  if (life.flap_until != SimTime(0) && life.flap_until <= now) {
    life.flap_until = SimTime(0);
    life.flap_changed = now;
    life.told = false;
  }
  if (!life.told) scene_.server.set_status(kPod, key_of(pod), status_of(life));
  life.told = true;
  if (life.goes && *life.goes <= now) {
    delete_gracefully(scene_, pod);
    return now + scene_.options.pod_grace;
  }
  auto next = life.until == kForever ? std::nullopt : std::optional(life.until);
  if (life.flap_until != SimTime(0)) next = earlier(next, life.flap_until);
  return earlier(next, life.goes);
}

void Kubelet::move_on(const std::string& image, Life& life) const {
  using State = Life::State;
  const auto now = scene_.now();
  switch (life.state) {
    case State::Creating:
    case State::PullBackOff:
      if (!begins_with(image, "pull-")) return run(life);
      ++life.pulls;
      life.state = State::Pulling;
      life.until = now + kPullLasts;
      return;
    case State::Pulling:
      life.state = State::PullBackOff;
      life.until = now + back_off(life.pulls);
      return;
    case State::Starting:
      life.state = begins_with(image, "never-") ? State::NeverReady : State::Ready;
      life.until = begins_with(image, "crash-") ? now + kCrashesAfter : kForever;
      return;
    case State::Ready: return crash(life);
    case State::CrashBackOff: ++life.restarts; return run(life);
    case State::NeverReady: return;
  }
}

bool Kubelet::read_config(const Json& pod, Life& life) const {
  const auto name = config_of(pod);
  if (name.empty()) return true;
  const Json* config = scene_.server.find(kinds::kConfigMap, {key_of(pod).ns, name});
  if (life.lacks_config != (config == nullptr)) life.told = false;
  life.lacks_config = config == nullptr;
  if (config) note_config(scene_, pod, json_text(*config, {"data", "version"}));
  if (!config) life.until = scene_.now() + kConfigAgain;
  return config != nullptr;
}

// The process begins. The first start has been waited for by Creating.
void Kubelet::run(Life& life) const {
  life.run_began = scene_.now();
  life.state = Life::State::Starting;
  life.until = life.run_began;
  if (life.restarts > 0)
    life.until += scene_.between(scene_.options.pod_start_min, scene_.options.pod_start_max);
}

// After the first crash the container is started again at once; from the second on the kubelet backs off.
void Kubelet::crash(Life& life) const {
  const bool first = life.ended == SimTime(0);
  life.ended = scene_.now();
  life.ended_began = life.run_began;
  if (first) {
    ++life.restarts;
    return run(life);
  }
  life.state = Life::State::CrashBackOff;
  life.until = scene_.now() + back_off(life.restarts);
}

Json Kubelet::status_of(const Life& life) const {
  const bool ready = life.state == Life::State::Ready;
  const auto at = [this](SimTime time) { return scene_.clock.now() - (scene_.now() - time); };
  const auto condition = [](std::string_view type, bool holds, WallTime since) {
    auto made = ready_condition(holds, since);
    made["type"] = type;
    return made;
  };
  const bool flaps = life.flap_until != SimTime(0);
  Json conditions = Json::array();
  // Ready stands first: pods.cpp counts on it.
  conditions.push_back(
      condition("Ready", ready && !flaps, at(std::max(life.changed, life.flap_changed))));
  conditions.push_back(condition("ContainersReady", ready, at(life.changed)));
  if (life.goes) {
    conditions.push_back(condition("DisruptionTarget", true, at(life.disrupted)));
    conditions.back()["reason"] = "EvictionByEvictionAPI";
  }
  return Json{{"phase", life.run_began == SimTime(0) ? "Pending" : "Running"},
              {"conditions", std::move(conditions)},
              {"containerStatuses", Json::array({container_status(life)})}};
}

Json Kubelet::container_status(const Life& life) const {
  const auto at = [this](SimTime time) {
    return format_time_micro(scene_.clock.now() - (scene_.now() - time));
  };
  Json status{{"name", "app"},
              {"ready", life.state == Life::State::Ready},
              {"restartCount", life.restarts},
              {"state", state_of(life)}};
  if (life.ended != SimTime(0))
    status["lastState"] = {{"terminated",
                            {{"exitCode", 1},
                             {"reason", "Error"},
                             {"startedAt", at(life.ended_began)},
                             {"finishedAt", at(life.ended)}}}};
  return status;
}

Json Kubelet::state_of(const Life& life) const {
  using State = Life::State;
  switch (life.state) {
    case State::Creating:
      return life.lacks_config ? waiting("CreateContainerConfigError", "configmap not found")
                               : waiting("ContainerCreating", "");
    case State::Pulling: return waiting("ErrImagePull", "failed to pull the image: not found");
    case State::PullBackOff: return waiting("ImagePullBackOff", "Back-off pulling the image");
    case State::CrashBackOff:
      return waiting("CrashLoopBackOff", "back-off restarting failed container");
    case State::Starting:
    case State::Ready:
    case State::NeverReady: break;
  }
  const auto began = scene_.clock.now() - (scene_.now() - life.run_began);
  return Json{{"running", {{"startedAt", format_time_micro(began)}}}};
}

// An eviction takes a pod away, and says so first; a flap calls it not ready though its container is, as when a node's
// heartbeats stay out. One of those that are ready, drawn.
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
  auto& life = lives_[json_text(pod, {"metadata", "name"})];
  life.told = false;
  if (evicts) {
    life.disrupted = scene_.now();
    life.goes = scene_.now() + scene_.between(SimTime(0), kEvictionLasts);
    return;
  }
  life.flap_until = scene_.now() + kFlapLasts;
  life.flap_changed = scene_.now();
}

void Kubelet::blame_world(const std::string& revision) {
  disturbed_[revision] = scene_.now() + kMending;
}

}  // namespace weir::sim
