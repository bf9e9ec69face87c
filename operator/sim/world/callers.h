// Those who call: through the gateway by its weights, and from inside the cluster through spec.service.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>

#include "sim/world/gateway.h"
#include "sim/world/kubelet.h"

namespace weir::sim {

// Cumulative, as the gateway counts them; it counts what it served by Service.
struct Counters {
  double bad = 0;
  double total = 0;
};

// Label of a Service of the user's that has callers before, while and after a Release uses it.
inline constexpr std::string_view kCalled = "called";

class Callers final : public Reactor {
 public:
  Callers(const Scene& scene, const Gateway& gateway, const Kubelet& kubelet)
      : Reactor(scene, {"endpointslices", "httproutes", "services", "pods"}, SimTime(0)),
        gateway_(gateway),
        kubelet_(kubelet),
        next_reset_(scene.next_after(scene.faults.counter_reset_gap)) {}

  // The counters at the last scrape, and its time; by Service.
  struct Scrape {
    SimTime at{0};
    std::map<std::string, Counters> counters;
  };
  const Scrape& scraped() const { return scrapes_.back(); }
  const Scrape& scraped_before() const { return scrapes_[scrapes_.size() - 2]; }
  // The newest one at that time; the oldest that is kept, when that is newer.
  const Scrape& scraped_at(SimTime time) const;

  // From now on no revision answers better than with this share of bad answers: what all of them need has failed; 0 = it is back.
  void suffer(double bad_rate);

  double requests() const { return requests_; }
  // Requests that found no ready pod though nothing but the operator could have taken it away.
  const std::map<std::string, double>& lost() const { return lost_; }

 private:
  struct Stream {
    double per_second = 0;
    double bad_rate = 0;
    bool served = true;
    bool excused = false;  // the world itself took the pods away
    bool counted = true;   // by the gateway
  };

  std::optional<SimTime> reconcile() override;
  void count();  // what has flowed since the last time
  // Of requests that were sent.
  Counters answered(double sent, double bad_rate) const;
  void look();  // what flows from now on
  void scrape();
  // Every ready pod that a callers' Service selects has an equal part.
  void share_out(const Json& service);
  Stream stream_to(const ObjectKey& service, double share) const;
  double bad_rate_of(const Json& pod) const;
  bool is_excused(const Json& service) const;
  // Of the user's own Service, from the time when it first had a ready pod.
  bool counts_on(const ObjectKey& service, const Stream& stream);

  const Gateway& gateway_;
  const Kubelet& kubelet_;
  std::set<ObjectKey> begun_;
  std::map<std::string, Stream> streams_;  // by Service, "inside …" for callers in the cluster
  std::map<std::string, Counters> counters_;
  std::deque<Scrape> scrapes_{{}, {}};  // oldest first, at least two
  SimTime counted_{0};
  SimTime next_scrape_{0};
  std::optional<SimTime> next_reset_;
  double requests_ = 0;
  double suffered_ = 0;
  std::map<std::string, double> lost_;
};

}  // namespace weir::sim
