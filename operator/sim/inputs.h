// What people do to a release and its children, with kubectl. A list of inputs is drawn before a run, so that the same can be done
// with and without faults.
#pragma once

#include <string>
#include <vector>

#include "base/random.h"
#include "sim/world/world.h"

namespace weir::sim {

struct Input {
  enum class What {
    Image,          // text: the new image; see Kubelet for what its name means
    Replicas,       // number: of spec.replicas
    LoseStatus,     // somebody deletes .status
    RouteToStable,  // somebody gives all weight to stable by hand
    DeleteRoute,
    DeleteCallersService,  // spec.service
    DeleteCanary,          // the canary's ReplicaSet and Service
    ScaleCanary,           // number: replicas of the canary's ReplicaSet
    StripLabels,           // of the route and of the canary's ReplicaSet and Service
    EditPolicy,            // number: seconds of every hold; text: the watch, when it is another
    // An image override for a container that is not there; text: a strategy that nobody knows
    BreakSpec,
    MendSpec,
    DeleteRelease,
    CreateRelease,   // text: image
    ForeignService,  // somebody has a Service with the name of spec.service
    RemoveForeignService,
    SourceDown,  // nobody answers for the metrics
    SourceUp,
    Request,    // text: the verb; number: which of the kept revisions, for rollback
    PauseSpec,  // spec.paused
    ResumeSpec,
  };
  SimTime at{0};
  What what = What::Image;
  std::string text{};
  int number = 0;
  std::string release = "shop";
};

std::string to_string(const Input& input);

// The namespace, policies and Releases of every run.
inline constexpr std::string_view kNamespace = "shop-ns";
void create_policy(ApiServer& server, int hold_seconds);
void create_release(ApiServer& server, const std::string& name, const std::string& image,
                    int replicas);
// Revisions that lost pods or children by it, which may cost requests.
std::vector<std::string> apply(ApiServer& server, World& world, const Input& input);

// Changes at random times, the last one long before `end`. Ends with a version that is good, or bad, or whose pods fail.
std::vector<Input> draw_inputs(Random& random, const std::vector<std::string>& releases,
                               SimTime end);

}  // namespace weir::sim
