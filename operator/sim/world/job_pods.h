#pragma once

#include <map>
#include <string>
#include <vector>

#include "sim/world/reactor.h"

namespace weir::sim {

// All kubelets, for pods of Jobs: their init containers run one after another, native sidecars beside them. How a step goes is
// told by its image:
//   bad-…      it fails with exit code 1      oom-…   the kernel kills it
//   flaky-…    it fails once in each run      hang-…  it never ends by itself
//   slow-…     it takes some seconds longer   pull-…  the image cannot be pulled
//   stubborn-… slow, and deaf to SIGTERM
// Any other passes. The last step of a pod writes the results that its stage declares, as weir-step does.
class JobPods final : public Reactor {
 public:
  explicit JobPods(const Scene& scene)
      : Reactor(scene, {"pods"}, SimTime(0)),
        next_loss_(scene.next_after(scene.faults.job_pod_lost_gap)),
        next_away_(scene.next_after(scene.faults.registry_away_gap)) {}

 private:
  struct Container {
    enum class State { Waiting, Running, Ended };
    std::string name;
    std::string image;
    bool sidecar = false;
    State state = State::Waiting;
    std::string reason{};  // why it waits, or how it ended
    std::string message{};
    int exit_code = 0;
    SimTime began{0};
    SimTime ended{0};
  };
  struct Life {
    enum class State { Creating, Running, Ending, Over };
    State state = State::Creating;
    std::vector<Container> containers;
    std::size_t at = 0;    // the container that runs, or will
    SimTime until{0};      // of what it does; SimTime::max(): for ever
    SimTime started{0};    // the pod
    bool stopped = false;  // SIGTERM was sent
    bool failed = false;
    std::string reason{};  // of the pod
    std::string disruption{};
    std::optional<SimTime> goes{};  // it will be deleted then
    bool told = false;
  };

  std::optional<SimTime> reconcile() override;
  std::optional<SimTime> live(const Json& pod, Life& life);
  Life begin(const Json& pod) const;
  void move_on(const Json& pod, Life& life);
  void enter_container(const Json& pod, Life& life);
  void end_container(const Json& pod, Life& life);
  SimTime length_of(const Json& pod, const Container& container, std::size_t at) const;
  void stop(const Json& pod, Life& life, SimTime grace) const;
  void end_pod(Life& life) const;
  std::string results_of(const Json& pod, const Life& life) const;
  Json status_of(const Life& life) const;
  Json container_status(const Container& container) const;
  std::string stamp(SimTime time) const;
  void disturb();

  std::map<std::string, Life> lives_;        // by uid of the pod
  std::map<std::string, bool> failed_once_;  // flaky steps: run, stage, combination, step
  std::optional<SimTime> next_loss_;
  std::optional<SimTime> next_away_;
  SimTime away_until_{0};
};

}  // namespace weir::sim
