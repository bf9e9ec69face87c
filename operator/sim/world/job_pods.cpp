#include "sim/world/job_pods.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/pipeline_run.h"
#include "base/time_format.h"
#include "pipeline/step_contract.h"
#include "sim/world/pods.h"

namespace weir::sim {
namespace {

constexpr SimTime kForever = SimTime::max();
constexpr SimTime kEvictionLasts = seconds(1);  // from DisruptionTarget to the deletion, at most
constexpr SimTime kAwayLasts = seconds(15);
constexpr SimTime kPullAgain = seconds(2);
constexpr int kKilled = 137;
constexpr int kTerminated = 143;
constexpr int kTimedOut = 124;  // of weir-step

bool is_kind(const std::string& image, std::string_view kind) {
  return image.starts_with(std::string(kind) + "-");
}

std::string label(const Json& pod, std::string_view name) {
  return json_text(pod, {"metadata", "labels", name});
}

// Of the container's arguments, those that begin with this; without it.
std::vector<std::string> flags_of(const Json& pod, std::size_t container, std::string_view flag) {
  std::vector<std::string> values;
  const Json& containers = json_at(pod, {"spec", "initContainers"});
  if (container >= containers.size()) return values;
  const Json& args = json_at(containers[container], {"args"});
  if (!args.is_array()) return values;
  for (const auto& arg : args)
    if (arg.get_ref<const std::string&>().starts_with(flag))
      values.push_back(arg.get<std::string>().substr(flag.size()));
  return values;
}

std::optional<SimTime> time_out_of(const Json& pod, std::size_t container) {
  const auto values = flags_of(pod, container, "--timeout=");
  const auto parsed =
      values.empty() ? Result<milliseconds>(milliseconds(0)) : parse_duration(values[0]);
  return values.empty() || !parsed ? std::nullopt : std::optional(SimTime(*parsed));
}

}  // namespace

std::optional<SimTime> JobPods::reconcile() {
  disturb();
  std::map<std::string, Life> lives;
  auto again = earlier(next_loss_, next_away_);
  for (const auto& pod : scene_.server.all(kPod)) {
    if (!is_of_job(*pod)) continue;
    const auto uid = json_text(*pod, {"metadata", "uid"});
    const auto known = lives_.find(uid);
    auto& life = lives[uid] = known == lives_.end() ? begin(*pod) : std::move(known->second);
    again = earlier(again, live(*pod, life));
  }
  lives_ = std::move(lives);
  return again;
}

JobPods::Life JobPods::begin(const Json& pod) const {
  Life life;
  for (const auto* list : {"initContainers", "containers"})
    for (const auto& container : json_at(pod, {"spec", list}))
      life.containers.push_back({json_text(container, {"name"}), json_text(container, {"image"}),
                                 json_text(container, {"restartPolicy"}) == "Always"});
  life.until =
      scene_.now() + scene_.between(scene_.options.pod_start_min, scene_.options.pod_start_max);
  return life;
}

std::optional<SimTime> JobPods::live(const Json& pod, Life& life) {
  using State = Life::State;
  const auto now = scene_.now();
  const SimTime grace = seconds(json_int(pod, {"spec", "terminationGracePeriodSeconds"}, 30));
  const auto deadline = json_int(pod, {"spec", "activeDeadlineSeconds"});
  const auto ends = life.started + SimTime(seconds(deadline));
  const bool begun = life.state != State::Creating && life.state != State::Over;
  if (begun && deadline > 0 && ends <= now && !life.stopped) {
    life.reason = "DeadlineExceeded";
    stop(pod, life, grace);
  }
  if (is_deleting(pod) && !life.stopped) stop(pod, life, grace);
  while (life.until <= now) move_on(pod, life);
  if (!life.told) scene_.server.set_status(kPod, key_of(pod), status_of(life));
  life.told = true;
  if (life.state == State::Over) {
    const Json& finalizers = json_at(pod, {"metadata", "finalizers"});
    if (is_deleting(pod) && finalizers.empty()) scene_.server.drop(kPod, key_of(pod));
    return std::nullopt;
  }
  if (life.goes && *life.goes <= now && !is_deleting(pod)) delete_gracefully(scene_, pod);
  auto next = life.until == kForever ? std::nullopt : std::optional(life.until);
  if (life.goes && *life.goes > now) next = earlier(next, life.goes);
  return begun && deadline > 0 && !life.stopped ? earlier(next, ends) : next;
}

void JobPods::move_on(const Json& pod, Life& life) {
  life.told = false;
  switch (life.state) {
    case Life::State::Creating:
      life.started = scene_.now();
      life.state = Life::State::Running;
      return enter_container(pod, life);
    case Life::State::Running: {
      auto& container = life.containers[life.at];
      if (container.state == Container::State::Waiting) return enter_container(pod, life);
      if (!container.sidecar) return end_container(pod, life);
      ++life.at;
      return enter_container(pod, life);
    }
    case Life::State::Ending:
    case Life::State::Over: return end_pod(life);
  }
}

void JobPods::enter_container(const Json& pod, Life& life) {
  auto& container = life.containers[life.at];
  if (is_kind(container.image, "pull") || scene_.now() < away_until_) {
    container.reason = container.reason == "ErrImagePull" ? "ImagePullBackOff" : "ErrImagePull";
    container.message = "failed to pull the image";
    life.until = scene_.now() + kPullAgain;
    return;
  }
  container.state = Container::State::Running;
  container.reason.clear();
  container.message.clear();
  container.began = scene_.now();
  const auto length = length_of(pod, container, life.at);
  life.until = length == kForever ? kForever : scene_.now() + length;
}

SimTime JobPods::length_of(const Json& pod, const Container& container, std::size_t at) const {
  const auto& image = container.image;
  if (!container.name.starts_with(contract::kStepPrefix))
    return scene_.between(milliseconds(100), milliseconds(400));
  auto length = scene_.between(milliseconds(300), seconds(2));
  if (is_kind(image, "slow")) length += scene_.between(seconds(6), seconds(10));
  if (is_kind(image, "stubborn")) length += scene_.between(seconds(18), seconds(24));
  if (is_kind(image, "hang")) length = kForever;
  const auto most = time_out_of(pod, at);
  return most ? std::min(length, *most) : length;
}

void JobPods::end_container(const Json& pod, Life& life) {
  auto& container = life.containers[life.at];
  const auto& image = container.image;
  const auto most = time_out_of(pod, life.at);
  const bool too_long = most && scene_.now() - container.began >= *most;
  container.state = Container::State::Ended;
  container.ended = scene_.now();
  if (life.stopped) {
    if (container.exit_code == 0) container.exit_code = kTerminated;
  } else if (too_long) {
    container.exit_code = kTimedOut;
    container.message = R"({"timeout":"Step"})";
  } else if (is_kind(image, "oom")) {
    container.exit_code = kKilled;
    container.reason = "OOMKilled";
  } else if (is_kind(image, "bad") ||
             (is_kind(image, "flaky") && life.disruption.empty() &&
              !std::exchange(
                  failed_once_[label(pod, marks::kRun) + "/" + label(pod, marks::kStage) + "/" +
                               label(pod, marks::kCombination) + "/" + container.name],
                  true))) {
    container.exit_code = 1;
    container.message = R"({"error":"it is bad"})";
  } else {
    container.message = results_of(pod, life);
  }
  if (container.reason.empty()) container.reason = container.exit_code == 0 ? "Completed" : "Error";
  life.failed = container.exit_code != 0;
  if (!life.failed && life.at + 1 < life.containers.size()) {
    ++life.at;
    return enter_container(pod, life);
  }
  life.state = Life::State::Ending;
  life.until = scene_.now() + scene_.between(milliseconds(100), seconds(1));
}

std::string JobPods::results_of(const Json& pod, const Life& life) const {
  const bool more_steps = life.at + 1 < life.containers.size() &&
                          life.containers[life.at + 1].name.starts_with(contract::kStepPrefix);
  Json results = Json::object();
  if (!more_steps)
    for (const auto& name : flags_of(pod, life.at, "--result="))
      results[name] = fmt::format("{}/{}", label(pod, marks::kStage), label(pod, marks::kAttempt));
  return results.empty() ? "" : dump_json({{"results", results}});
}

// What has not begun never does; what runs gets SIGTERM.
void JobPods::stop(const Json& /*pod*/, Life& life, SimTime grace) const {
  if (life.state == Life::State::Over) return;
  life.stopped = true;
  life.told = false;
  if (life.state == Life::State::Ending) return;
  auto& container = life.containers[life.at];
  if (life.state == Life::State::Creating || container.state != Container::State::Running) {
    life.failed = true;
    return end_pod(life);
  }
  const bool deaf = is_kind(container.image, "stubborn");
  container.exit_code = deaf ? kKilled : kTerminated;
  const auto rest = deaf ? grace : scene_.between(milliseconds(100), milliseconds(1500));
  life.until = std::min(life.until, scene_.now() + rest);
}

void JobPods::end_pod(Life& life) const {
  life.state = Life::State::Over;
  life.until = kForever;
  for (auto& container : life.containers) {
    if (container.state != Container::State::Running) continue;
    container.state = Container::State::Ended;
    container.ended = scene_.now();
    container.exit_code = kTerminated;
    container.reason = "Error";
  }
}

std::string JobPods::stamp(SimTime time) const {
  return format_time(scene_.clock.now() - (scene_.now() - time));
}

Json JobPods::container_status(const Container& container) const {
  Json state;
  switch (container.state) {
    case Container::State::Waiting:
      state["waiting"]["reason"] = container.reason.empty() ? "PodInitializing" : container.reason;
      if (!container.message.empty()) state["waiting"]["message"] = container.message;
      break;
    case Container::State::Running: state["running"]["startedAt"] = stamp(container.began); break;
    case Container::State::Ended:
      state["terminated"] = {{"exitCode", container.exit_code},
                             {"reason", container.reason},
                             {"startedAt", stamp(container.began)},
                             {"finishedAt", stamp(container.ended)}};
      if (!container.message.empty()) state["terminated"]["message"] = container.message;
      break;
  }
  return {{"name", container.name}, {"state", state}, {"restartCount", 0}};
}

Json JobPods::status_of(const Life& life) const {
  Json conditions = Json::array({ready_condition(false, scene_.clock.now())});
  if (!life.disruption.empty())
    conditions.push_back(
        {{"type", "DisruptionTarget"}, {"status", "True"}, {"reason", life.disruption}});
  const bool over = life.state == Life::State::Over;
  const bool main = life.containers.back().state != Container::State::Waiting;
  Json status{{"phase", over   ? (life.failed ? "Failed" : "Succeeded")
                        : main ? "Running"
                               : "Pending"},
              {"conditions", std::move(conditions)},
              {"initContainerStatuses", Json::array()},
              {"containerStatuses", Json::array({container_status(life.containers.back())})}};
  if (!life.reason.empty() && over) status["reason"] = life.reason;
  for (std::size_t i = 0; i + 1 < life.containers.size(); ++i)
    status["initContainerStatuses"].push_back(container_status(life.containers[i]));
  return status;
}

// A drain evicts by the API, a node under pressure by itself; a registry is away for a while.
void JobPods::disturb() {
  const auto now = scene_.now();
  if (next_away_ && now >= *next_away_) {
    next_away_ = scene_.next_after(scene_.faults.registry_away_gap);
    away_until_ = now + kAwayLasts;
  }
  if (!next_loss_ || now < *next_loss_) return;
  next_loss_ = scene_.next_after(scene_.faults.job_pod_lost_gap);
  std::vector<Life*> living;
  for (auto& [uid, life] : lives_)
    if (life.state < Life::State::Ending && !life.stopped && life.disruption.empty())
      living.push_back(&life);
  if (living.empty()) return;
  auto& life = *living[static_cast<std::size_t>(static_cast<double>(living.size()) *
                                                scene_.random.uniform())];
  life.told = false;
  if (scene_.draws(0.5)) {
    life.disruption = "EvictionByEvictionAPI";
    life.goes = now + scene_.between(SimTime(0), kEvictionLasts);
    return;
  }
  life.disruption = "TerminationByKubelet";
  life.reason = "Evicted";
  life.failed = true;
  life.stopped = true;
  end_pod(life);
}

}  // namespace weir::sim
