#pragma once

#include <set>
#include <string>
#include <string_view>

#include "sim/actor.h"
#include "sim/world/scene.h"

namespace weir::sim {

// A controller of the world: acts a moment after any change of the kinds it watches, and when it said it would.
class Reactor : public Actor {
 public:
  std::optional<SimTime> due() const final { return earlier(changed_, timer_); }

  void act() final {
    changed_.reset();
    timer_ = reconcile();
  }

  // Somebody wrote an object of this kind.
  void note(const std::string& plural) {
    if (watched_.count(plural) != 0) changed_ = earlier(changed_, scene_.now() + lag_);
  }

 protected:
  Reactor(const Scene& scene, std::set<std::string_view> watched, SimTime lag)
      : scene_(scene), watched_(watched.begin(), watched.end()), lag_(lag) {}

  // Brings its part of the world in order; tells when to look again without a change.
  virtual std::optional<SimTime> reconcile() = 0;

  const Scene& scene_;

 private:
  std::set<std::string> watched_;
  SimTime lag_;
  std::optional<SimTime> changed_{SimTime(0)};  // looks once when it begins
  std::optional<SimTime> timer_;
};

}  // namespace weir::sim
