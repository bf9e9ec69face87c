// Pods as objects of the API, and what the parts of the world read from them.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "kube/kinds.h"
#include "sim/world/scene.h"

namespace weir::sim {

using kinds::kPod;

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

Json ready_condition(bool ready, WallTime since);
// As kubectl delete does: the process ends after its grace.
void delete_gracefully(const Scene& scene, const Json& pod);

}  // namespace weir::sim
