// The simulated world in real time: the operator's own reconcilers, pods, a gateway, callers and a Prometheus over the API server in
// memory, for people to look at and play with. No faults.
#pragma once

#include <memory>
#include <stop_token>

#include "sim/server/http_front.h"

namespace weir::sim {

struct Traffic {
  double requests = 0;
  double lost = 0;  // found no ready pod though the operator could have seen to it
};

class LiveWorld {
 public:
  // `speed`: simulated seconds per second. Virtual time begins with the time of day.
  explicit LiveWorld(double speed);
  ~LiveWorld();
  LiveWorld(const LiveWorld&) = delete;
  LiveWorld& operator=(const LiveWorld&) = delete;

  // Lets time pass until stop is requested; call it once, on a thread of its own.
  void run(const std::stop_token& stop);

  // All thread-safe.
  HttpFront& front();
  const Clock& clock() const;
  Traffic traffic();

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace weir::sim
