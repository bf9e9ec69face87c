#pragma once

#include <map>
#include <string>

#include "sim/world/reactor.h"

namespace weir::sim {

// All kubelets, for pods that serve: they start, become ready, fail and end. How a pod behaves is told by its image:
//   pull-…   the image cannot be pulled      never-…  runs and is never ready
//   crash-…  ready for some seconds, then it crashes, again and again
// A ConfigMap that its container names must be there before it starts.
class Kubelet final : public Reactor {
 public:
  explicit Kubelet(const Scene& scene)
      : Reactor(scene, {"pods"}, SimTime(0)),
        next_eviction_(scene.next_after(scene.faults.eviction_gap)),
        next_flap_(scene.next_after(scene.faults.flap_gap)) {}

  // Until when missing pods of a revision are the world's fault, or people's.
  SimTime disturbed_until(const std::string& revision) const;
  void blame_world(const std::string& revision);

 private:
  // Of a pod with one container.
  struct Life {
    enum class State { Creating, Pulling, PullBackOff, Starting, Ready, NeverReady, CrashBackOff };
    State state = State::Creating;
    SimTime until{0};      // of its state; SimTime::max(): for ever
    SimTime changed{0};    // between ready and not
    int restarts = 0;      // as restartCount
    int pulls = 0;         // that failed
    SimTime run_began{0};  // of the container that runs, or ran last
    SimTime ended{0};      // of the run before; 0 = there was none
    SimTime ended_began{0};
    SimTime flap_until{0};        // the pod is called not ready, its container is
    SimTime flap_changed{0};      // when it last was called something else than its container
    SimTime disrupted{0};         // it was said that the pod is to be taken away
    std::optional<SimTime> goes;  // and it will be deleted then
    bool lacks_config = false;    // it cannot start: what it reads is not there
    bool told = false;            // its status says so
  };

  std::optional<SimTime> reconcile() override;
  std::optional<SimTime> live(const Json& pod, Life& life);
  Life begin() const;
  // What comes after the state that is over.
  void move_on(const std::string& image, Life& life) const;
  void run(Life& life) const;
  // Before the first start. False: it is not there, look again later.
  bool read_config(const Json& pod, Life& life) const;
  void crash(Life& life) const;
  Json status_of(const Life& life) const;
  Json container_status(const Life& life) const;
  Json state_of(const Life& life) const;
  void disturb();

  std::map<std::string, Life> lives_;  // by pod
  std::map<std::string, SimTime> disturbed_;
  std::optional<SimTime> next_eviction_;
  std::optional<SimTime> next_flap_;
};

}  // namespace weir::sim
