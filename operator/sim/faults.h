// Faults, drawn from the seed: each run has its own mix ("swarm"), named here and nowhere else.
#pragma once

#include <functional>
#include <memory>

#include "base/random.h"
#include "sim/server/api_server.h"

namespace weir::sim {

// Probabilities of one event, unless a unit is given.
struct FaultOptions {
  double error_before = 0;        // a call fails and has no effect
  double error_after = 0;         // a write has its effect but the answer is lost
  double conflict = 0;            // a write is answered with 409 though nobody wrote
  double throttle = 0;            // a call is answered with 429 and Retry-After 1 s
  double crash_before = 0;        // the operator dies just before a write
  double crash_after = 0;         // the operator dies just after a write, before it knows
  double watch_gap = 0;           // per kind and tick: the watch breaks and must list again
  double watch_repeat = 0;        // per event: it is delivered twice
  milliseconds watch_lag_max{0};  // an event is delivered up to so much late
  double source_error = 0;        // per question
  double source_empty = 0;        // per question
};

FaultOptions draw_faults(Random& random);

// An ApiClient that misbehaves. After a crash every call fails without effect until the instance is replaced.
class FaultyApi final : public ApiClient {
 public:
  FaultyApi(ApiServer& server, Random& random, const FaultOptions& faults)
      : server_(server), random_(random), faults_(faults) {}

  bool crashed() const { return crashed_; }
  int writes() const { return writes_; }
  // Crash at the n-th write from now, before or after its effect; for the exhaustive search.
  void crash_at(int write, bool before) {
    crash_at_ = write;
    crash_before_ = before;
  }

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
  bool draws(double probability) { return probability > 0 && random_.uniform() < probability; }
  template <typename T>
  Result<T> read(const std::function<Result<T>()>& call);
  template <typename T>
  Result<T> write(const std::function<Result<T>()>& call);

  ApiServer& server_;
  Random& random_;
  const FaultOptions& faults_;
  bool crashed_ = false;
  int writes_ = 0;
  int crash_at_ = 0;
  bool crash_before_ = false;
};

}  // namespace weir::sim
