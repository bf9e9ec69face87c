// Pods as objects of the API, and what the parts of the world read from them.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "kube/kinds.h"
#include "sim/world/scene.h"

namespace weir::sim {

using kinds::kPod;

// On pods of Jobs, by the Job controller.
inline constexpr std::string_view kJobName = "batch.kubernetes.io/job-name";
inline constexpr std::string_view kJobTracking = "batch.kubernetes.io/job-tracking";  // finalizer

ObjectKey key_of(const Json& object);
// The labels that a selector map names all stand on the object with those values; an empty selector selects nothing.
bool selects(const Json& selector, const Json& object);
// Those of its namespace that a Service selects, in order.
std::vector<ApiServer::Held> pods_of(const ApiServer& server, const Json& service);

bool is_deleting(const Json& object);
// Its condition says so, whether it is being deleted or not.
bool is_serving(const Json& pod);
bool is_ready(const Json& pod);
// When it became ready; nothing while it is not.
std::optional<SimTime> ready_since(const SimClock& clock, const Json& pod);
std::string image_of(const Json& pod);
// Its life is told by JobPods.
bool is_of_job(const Json& pod);
// Its phase: it has Succeeded or Failed.
bool is_over(const Json& pod);

// The ConfigMap that its container reads when it starts; "" = none.
std::string config_of(const Json& pod);
// What it found there; nothing while it has not started, or reads none. The world notes it on the pod.
std::optional<std::string> config_seen_by(const Json& pod);
void note_config(const Scene& scene, const Json& pod, const std::string& content);
// A content bad-… has the effect of such an image.
bool is_bad_content(const std::string& content);

Json ready_condition(bool ready, WallTime since);
// As kubectl delete does: the process ends after its grace.
void delete_gracefully(const Scene& scene, const Json& pod);

}  // namespace weir::sim
