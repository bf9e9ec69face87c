#include "sim/world/pods.h"

#include <algorithm>

#include "base/time_format.h"

namespace weir::sim {
namespace {

constexpr std::string_view kSeen = "sim/config";

}  // namespace

ObjectKey key_of(const Json& object) {
  return {json_text(object, {"metadata", "namespace"}), json_text(object, {"metadata", "name"})};
}

bool selects(const Json& selector, const Json& object) {
  if (!selector.is_object() || selector.empty()) return false;
  const Json& labels = json_at(object, {"metadata", "labels"});
  return std::all_of(selector.items().begin(), selector.items().end(), [&](const auto& term) {
    return json_at(labels, {term.key()}) == term.value();
  });
}

std::vector<ApiServer::Held> pods_of(const ApiServer& server, const Json& service) {
  auto pods = server.all(kPod);
  const Json& ns = json_at(service, {"metadata", "namespace"});
  const Json& selector = json_at(service, {"spec", "selector"});
  std::erase_if(pods, [&](const auto& pod) {
    return !selects(selector, *pod) || json_at(*pod, {"metadata", "namespace"}) != ns;
  });
  return pods;
}

bool is_deleting(const Json& object) {
  return !json_at(object, {"metadata", "deletionTimestamp"}).is_null();
}

bool is_serving(const Json& pod) {
  const Json& conditions = json_at(pod, {"status", "conditions"});
  return conditions.is_array() && !conditions.empty() &&
         json_text(conditions.front(), {"status"}) == "True";
}

bool is_ready(const Json& pod) { return !is_deleting(pod) && is_serving(pod); }

std::optional<SimTime> ready_since(const SimClock& clock, const Json& pod) {
  if (!is_serving(pod)) return std::nullopt;
  const Json& ready = json_at(pod, {"status", "conditions"}).front();
  const auto since = parse_time(json_text(ready, {"lastTransitionTime"}));
  return since ? std::optional(clock.elapsed_at(*since)) : std::nullopt;
}

std::string image_of(const Json& pod) {
  const Json& containers = json_at(pod, {"spec", "containers"});
  return containers.is_array() && !containers.empty() ? json_text(containers.front(), {"image"})
                                                      : "";
}

bool is_of_job(const Json& pod) { return json_at(pod, {"metadata", "labels"}).contains(kJobName); }

bool is_over(const Json& pod) {
  const auto phase = json_text(pod, {"status", "phase"});
  return phase == "Succeeded" || phase == "Failed";
}

std::string config_of(const Json& pod) {
  const Json& containers = json_at(pod, {"spec", "containers"});
  if (!containers.is_array() || containers.empty()) return "";
  const Json& from = json_at(containers.front(), {"envFrom"});
  return from.is_array() && !from.empty() ? json_text(from.front(), {"configMapRef", "name"}) : "";
}

std::optional<std::string> config_seen_by(const Json& pod) {
  const Json& seen = json_at(pod, {"metadata", "annotations", kSeen});
  return seen.is_string() ? std::optional(seen.get<std::string>()) : std::nullopt;
}

void note_config(const Scene& scene, const Json& pod, const std::string& content) {
  scene.server.edit(kPod, key_of(pod), [&](Json& object) {
    object["metadata"]["annotations"][std::string(kSeen)] = content;
  });
}

bool is_bad_content(const std::string& content) { return content.rfind("bad-", 0) == 0; }

Json ready_condition(bool ready, WallTime since) {
  return {{"type", "Ready"},
          {"status", ready ? "True" : "False"},
          {"lastTransitionTime", format_time_micro(since)}};
}

void delete_gracefully(const Scene& scene, const Json& pod) {
  scene.server.edit(kPod, key_of(pod), [&](Json& object) {
    object["metadata"]["deletionTimestamp"] = format_time_micro(scene.clock.now());
  });
}

}  // namespace weir::sim
