// The simulated world in real time: the operator's own reconcilers, pods, a gateway, callers and a Prometheus over the API server in
// memory, for people to look at and play with. No faults. It begins with a policy and a Release `shop` in kNamespace (sim/inputs.h).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "sim/server/http_front.h"

namespace weir::sim {

// Requests so far.
struct Traffic {
  double all = 0;
  double errors = 0;  // answered with one
  double lost = 0;    // found no ready pod, and nobody but the operator could have taken it away
};

// Thread-safe.
class LiveWorld {
 public:
  // `speed`: simulated seconds per second; the time of day is the machine's at first. Time passes on a thread of its own until the
  // destructor.
  explicit LiveWorld(double speed);
  ~LiveWorld();
  LiveWorld(const LiveWorld&) = delete;
  LiveWorld& operator=(const LiveWorld&) = delete;

  HttpFront& front();
  const Clock& clock() const;
  Traffic traffic();
  // The broken invariant because of which time stands still.
  std::optional<std::string> failure() const;

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace weir::sim
