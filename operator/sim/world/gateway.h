#pragma once

#include <map>
#include <string>

#include "sim/world/reactor.h"

namespace weir::sim {

using Weights = std::map<std::string, int>;  // percent, by Service

// The callers' Service of a Release with router Replicas: it has the memo.
bool is_callers_route(const Json& service);

// The HTTPRoute of a Release, or the callers' Service that takes its place; null when there is neither.
const Json* find_route(const ApiServer& server, const ObjectKey& release);

// What a route says: the backends of its first rule, which speaks for all. A callers' Service: whom its selector names, or, while
// it names nobody, what was asked for.
Weights weights_of_route(const Json& route);

// An implementation of Gateway API: takes up each HTTPRoute with a lag, says so, and serves the last one it took up. It follows
// callers' Services that are routes, too, as kube-proxy does: at once.
class Gateway final : public Reactor {
 public:
  struct Served {
    Weights weights;
    std::map<std::string, SimTime> since;  // each Service's present weight
  };

  explicit Gateway(const Scene& scene)
      : Reactor(scene, {"httproutes", "services"}, SimTime(0)),
        next_away_(scene.next_after(scene.faults.gateway_away_gap)) {}

  // By route. A route that is gone is served no more.
  const std::map<ObjectKey, Served>& served() const { return served_; }
  const Served& served(const ObjectKey& route) const;
  int weight(const ObjectKey& route, const std::string& service) const;

 private:
  std::optional<SimTime> reconcile() override;
  std::optional<SimTime> take_up(const Json& route);
  void follow_services();
  void serve(Served& served, const Weights& weights);
  bool is_away();

  std::map<ObjectKey, Served> served_;
  struct Seen {
    std::int64_t generation = 0;
    SimTime at{0};
  };
  std::map<ObjectKey, Seen> seen_;
  std::optional<SimTime> next_away_;
  SimTime away_until_{0};
};

}  // namespace weir::sim
