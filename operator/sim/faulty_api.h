// The API server as one instance reaches it: through a network that loses, delays and repeats, and by a process that may die.
#pragma once

#include <functional>
#include <map>

#include "sim/bugs.h"
#include "sim/faults.h"
#include "sim/server/api_server.h"
#include "sim/stage.h"

namespace weir::sim {

// Who writes at this moment; nobody of ours while `instance` is 0.
struct Author {
  int instance = 0;
  std::uint64_t pass = 0;
  SimTime sent{0};  // when the request left
  // What it asks to delete; whatever goes with that goes by the garbage collector's hand.
  ObjectRef deletes{};
};

// A request that its sender has given up on reaches the server no later than this.
inline constexpr SimTime kLongestOnTheWay = seconds(2);

// One fault at one place, for the exhaustive search; counted over the whole run.
struct PlannedFault {
  // Late: its sender waits in vain until its deadline, and it takes effect kLongestOnTheWay after that.
  enum class AtWrite { CrashBefore, CrashAfter, AnswerLost, Late };
  enum class Place { Write, Delivery };
  AtWrite what = AtWrite::CrashBefore;
  int at_write = 0;  // the n-th; 0 = none
  // The n-th delivery of a watch comes `late_by` late, and with it what follows on that watch.
  int late_event = 0;
  SimTime late_by = seconds(8);
  // How far the run is.
  int writes = 0;
  int events = 0;
  // Hears of each place just before it is passed, and may still plan a fault for it.
  std::function<void(Place, PlannedFault&)> on_place{};

  // Counts a place; true where the fault strikes.
  bool strikes_write();
  bool strikes_delivery();
};

// Requests that were sent and whose effect comes later than their sender waits.
class InFlight final : public Actor {
 public:
  void add(SimTime at, std::function<void()> effect) { effects_.emplace(at, std::move(effect)); }
  std::optional<SimTime> due() const override;
  void act() override;

 private:
  std::multimap<SimTime, std::function<void()>> effects_;
};

// What all instances share.
struct Network {
  ApiServer& server;
  Stage& stage;
  Random& random;
  const FaultOptions& faults;
  InFlight& in_flight;
  PlannedFault& planned;
  Author& author;
  Bug bug;
  bool runs_pipelines = false;
};

// After a crash every call fails without effect until the instance is replaced.
class FaultyApi final : public ApiClient {
 public:
  FaultyApi(const Network& network, int instance) : net_(network), instance_(instance) {}

  bool crashed() const { return crashed_; }
  void crash() { crashed_ = true; }
  void begin_pass() { ++pass_; }

  Result<Json> get(const Kind& kind, const ObjectKey& key, const Deadline& deadline) override;
  Result<ListPage> list(const Kind& kind, const Selection& selection, const std::string& next,
                        const Deadline& deadline) override;
  Result<Json> create(const Kind& kind, const std::string& ns, const Json& object, bool dry_run,
                      const Deadline& deadline) override;
  Result<Json> patch(const Kind& kind, const ObjectKey& key, const Patch& patch,
                     const Deadline& deadline) override;
  Result<void> remove(const Kind& kind, const ObjectKey& key, const std::string& uid,
                      const Deadline& deadline) override;
  Result<void> watch(const WatchRequest& request, const OnLine& on_line,
                     const std::stop_token& stop) override;

 private:
  bool draws(double probability) const {
    return probability > 0 && net_.random.uniform() < probability;
  }
  std::optional<Error> fails_at_once() const;
  template <typename T>
  Result<T> write(const std::function<Result<T>()>& call, const Deadline& deadline,
                  const ObjectRef& deletes = {});
  // Time on the way there; an error when the caller has given up before its end.
  std::optional<Error> travel(const std::function<void()>& late, const Deadline& deadline);
  // Waits until the deadline; what is on the way arrives `after` that, if anything is.
  Error give_up(const std::function<void()>& late, SimTime after, const Deadline& deadline);

  const Network& net_;
  int instance_;
  std::uint64_t pass_ = 0;
  bool crashed_ = false;
};

}  // namespace weir::sim
