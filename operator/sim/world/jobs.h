#pragma once

#include <map>
#include <string>
#include <vector>

#include "sim/world/reactor.h"

namespace weir::sim {

// Kubernetes' Job controller, for Jobs of one pod: backoffLimit, podFailurePolicy by conditions of the pod, a replacement only after
// the pod before has ended, suspend. Its finalizer keeps each pod until it has been counted.
class Jobs final : public Reactor {
 public:
  explicit Jobs(const Scene& scene)
      : Reactor(scene, {"jobs", "pods"}, scene.options.controller_lag) {}

 private:
  struct Verdict {
    std::string target;  // condition that announces it
    std::string final;
    std::string reason;
    SimTime at{0};  // when it is told, at the earliest
  };
  struct Tally {
    int succeeded = 0;
    int failed = 0;
    std::optional<Verdict> verdict{};
    SimTime not_before{0};  // of the next pod
    Json conditions = Json::array();
    bool ended = false;
  };
  using Pods = std::vector<ApiServer::Held>;

  std::optional<SimTime> reconcile() override;
  std::optional<SimTime> reconcile_one(const Json& job, const Pods& pods, Tally& tally);
  void count(const Json& job, const Json& pod, Tally& tally);
  void judge(const Json& job, Tally& tally, std::string target, std::string final,
             std::string reason);
  void suspend(const Pods& living, Tally& tally);
  std::optional<SimTime> end(Tally& tally, const Pods& living);
  void create_pod(const Json& job);
  void release(const Json& pod);
  void set_condition(Tally& tally, std::string_view type, bool holds, std::string_view reason);
  void tell(const Json& job, const Tally& tally);

  std::map<std::string, Tally> tallies_;  // by uid of the Job
  int pods_ = 0;
};

}  // namespace weir::sim
