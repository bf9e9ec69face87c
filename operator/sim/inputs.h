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
    DeleteStable,          // stable's
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
    Outage,     // number: percent of bad answers that no revision does better than; 0 = it is over
    Request,    // text: the verb; number: which of the kept revisions, for rollback
    PauseSpec,  // spec.paused
    ResumeSpec,
    Router,           // text: the new spec.traffic.type
    Config,           // text: the new content of what spec.config names
    DropConfig,       // somebody deletes that object
    Adopt,            // a Release with workloadRef; number: its replicas, text: its router
    DeploymentImage,  // text: the new image
    GiveBack,  // the Release is deleted as kubectl does it; text: Foreground, as Argo CD does it
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
struct PolicyOptions {
  int hold_seconds = 3;
  bool compares = true;        // errors are held against stable's,
  bool strictly = false;       // and may not be more than those; else twice as many
  std::string at_most = "5%";  // errors; "" = there is no such bound
  bool early = false;          // judge.advance
};
void create_policy(ApiServer& server, const PolicyOptions& options);
void create_release(ApiServer& server, const std::string& name, const std::string& image,
                    int replicas, const std::string& router = "GatewayAPI");
// A ConfigMap of the Release's name with this suffix, which its spec.config names and its container reads.
inline constexpr std::string_view kConfigSuffix = "-config";
void give_config(ApiServer& server, const std::string& release, const std::string& content);
// And a Service that selects its pods.
void create_deployment(ApiServer& server, const std::string& name, const std::string& image,
                       int replicas);
// Revisions that lost pods or children by it, which may cost requests.
std::vector<std::string> apply(ApiServer& server, World& world, const Input& input);

// Changes at random times, the last one long before `end`. Ends with a version that is good, or bad, or whose pods fail.
std::vector<Input> draw_inputs(Random& random, const std::vector<std::string>& releases,
                               SimTime end);
// For Releases that have config: changes of it among those of the rest, whose images are then good or bad only.
void draw_config_inputs(Random& random, const std::vector<std::string>& releases, SimTime end,
                        std::vector<Input>& inputs);

}  // namespace weir::sim
