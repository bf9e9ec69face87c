#pragma once

#include <map>
#include <string>

#include "sim/world/reactor.h"

namespace weir::sim {

// All kubelets: pods start, become ready, fail and end. How a pod behaves is told by its image:
//   pull-…   the image cannot be pulled      never-…  runs and is never ready
//   crash-…  ready for some seconds, then it crashes, again and again
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
  struct Life {
    SimTime ready_at{0};  // SimTime::max(): never
    SimTime fails_at{0};  // stops being ready
    SimTime failure_lasts{0};
  };

  std::optional<SimTime> reconcile() override;
  std::optional<SimTime> live(const Json& pod, Life& life);
  Life begin(const std::string& image) const;
  void set_ready(const Json& pod, bool ready);
  void disturb();

  std::map<std::string, Life> lives_;  // by pod
  std::map<std::string, SimTime> disturbed_;
  std::optional<SimTime> next_eviction_;
  std::optional<SimTime> next_flap_;
};

}  // namespace weir::sim
