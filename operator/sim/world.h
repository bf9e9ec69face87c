// What surrounds the operator: ReplicaSets that start pods, a gateway that takes routes up with a lag, callers, and a source that
// scrapes counters. Virtual time; all chance from the seed.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/random.h"
#include "delivery/ports.h"
#include "sim/server/api_server.h"

namespace weir::sim {

class SimClock final : public Clock {
 public:
  WallTime now() const override { return WallTime(seconds(1'800'000'000)) + elapsed_; }
  SteadyTime monotonic() const override { return SteadyTime(std::chrono::hours(1)) + elapsed_; }
  void advance(milliseconds span) { elapsed_ += span; }
  milliseconds elapsed() const { return elapsed_; }

 private:
  milliseconds elapsed_{0};
};

struct WorldOptions {
  milliseconds pod_start{2000};
  milliseconds gateway_lag{200};
  double requests_per_second = 200;
  double bad_rate = 0.3;  // of the answers of a bad revision
};

struct Pod {
  WallTime ready_at{};
  WallTime available_at{};
};

struct Counters {
  double bad = 0;
  double total = 0;
  WallTime at{};
};

class World {
 public:
  World(ApiServer& server, SimClock& clock, WorldOptions options)
      : server_(server), clock_(clock), options_(options) {}

  void tick(milliseconds span);

  // The last scrape of a revision's counters; nothing before its first request.
  std::optional<Counters> scraped(const std::string& revision) const;

  // Weights that the gateway serves, by revision, and since when it has served just them.
  const std::map<std::string, int>& served() const { return served_; }
  WallTime served_since() const { return served_since_; }
  int ready_pods(const std::string& revision) const;
  double requests() const { return requests_; }
  double lost() const { return lost_; }  // requests for which no pod was ready

 private:
  void run_replica_sets();
  void run_endpoints();
  void run_gateway();
  void run_callers(milliseconds span);
  void scrape();

  ApiServer& server_;
  SimClock& clock_;
  WorldOptions options_;
  std::map<std::string, std::vector<Pod>> pods_;  // by ReplicaSet
  std::map<std::string, bool> is_bad_;            // by revision
  std::int64_t seen_generation_ = 0;
  WallTime take_up_at_{};
  std::map<std::string, int> served_;
  WallTime served_since_{};
  std::map<std::string, Counters> counters_;
  std::map<std::string, Counters> scraped_;
  WallTime next_scrape_{};
  double requests_ = 0;
  double lost_ = 0;
};

// The names of the one Release of a run.
inline const ObjectKey kShop{"shop-ns", "shop"};

}  // namespace weir::sim
