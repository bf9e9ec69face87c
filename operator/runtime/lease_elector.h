// Who leads, by a coordination.k8s.io/v1 Lease. A passive state machine: it says what to ask the API server, it is told the answer.
// No thread, no I/O; the shell is lease_loop.h. Fields and rules are those of client-go's leaderelection, so that any tool reads
// the Lease as it reads other leaders'.
//
// Guaranteed, whatever the wall clocks say, while the monotonic clocks of the machines run equally fast:
// - Two processes do not lead at once. We lead from the answer to a guarded write (resourceVersion; a missing Lease is created) until
//   15 s after the last such write was *sent*. Another's Lease is taken only when it has not moved for its duration, counted
//   from when we *received* what it says now; and a Lease that vanished counts as one that does not move.
// - No write of a process that does not lead begins, and every write's deadline lies before the end of its leadership: the executor
//   asks `open_until` before each. A deadline that has passed cuts the connection.
// - A new leader starts on caches listed after it took the Lease (app/operator_process.cpp), thus knows all that was written before.
// Not guaranteed, because a Lease only tells clients to be silent and stops none of them:
// - A request that the API server has taken in may be carried out after its connection was cut: a slow admission webhook, a long queue.
//   So may one of a process that was stopped between its last look at the clock and the system call that sends.
// - The Lease deleted, or given to another by hand: its holder learns it at its next renewal, 3 s, while a process
//   that never saw the Lease takes it at once.
// Against these stands what stood there without a leader, too: every write names the uid it was decided on, a rise of a weight
// and the memo in it carry the resourceVersion, a fall is safe at any time, creates do not overwrite; the rest (pod counts,
// status) the new leader puts right when its watch shows it.
#pragma once

#include <atomic>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "kube/object.h"
#include "runtime/write_fence.h"

namespace weir {

inline constexpr seconds kLeaseDuration{15};  // what we write into it
// A leader that has not got through for so long gives up, with time left for the writes in hand to fail.
inline constexpr milliseconds kRenewDeadline{10'000};
// Twenty requests a minute; and a write always has its ten seconds (see executor.h) while renewals succeed.
inline constexpr milliseconds kRenewEvery{3'000};
inline constexpr milliseconds kLeaseLook{2'000};          // between two looks at another's lease
inline constexpr milliseconds kLongestLeaseRetry{2'000};  // between two attempts after errors
inline constexpr milliseconds kLeaseRequest{5'000};       // for one answer
static_assert(kRenewEvery + kLongestLeaseRetry < kRenewDeadline && kRenewDeadline < kLeaseDuration);

// Driven by one thread, one request at a time; `open_until` and `leads` may be asked by any. `clock` and `random` must outlive it.
class LeaseElector final : public WriteFence {
 public:
  struct Next {
    // Lost: we led and do not any more; the process must end, since it cannot know what of its state still holds.
    enum class Do { Wait, Read, Create, Patch, Lost } what = Do::Read;
    SteadyTime until{};  // of Wait: when to ask again; of a request: its deadline
    Json body{};         // Create: the Lease; Patch: a JSON merge patch
  };

  // `identity` must be unique among processes that may run at once, and should outlive a crash: whoever comes back under
  // the name that holds the Lease leads at once. A pod's name is both.
  LeaseElector(ObjectKey key, std::string identity, const Clock& clock, Random& random)
      : key_(std::move(key)), identity_(std::move(identity)), clock_(clock), random_(random) {}

  const ObjectKey& key() const { return key_; }
  const std::string& identity() const { return identity_; }

  // Call it right before the request: our expiry counts from here.
  Next next();
  void on_read(const Result<Json>& lease);
  void on_written(const Result<Json>& lease);

  // Closes the fence and ends the election. The patch that gives the Lease back, so that the next leader need not wait for it to expire;
  // nothing when it is not ours. Only after the last writer has ended.
  std::optional<Json> release();

  bool leads() const { return clock_.monotonic() < open_until(); }
  SteadyTime open_until() const override {
    return SteadyTime(SteadyTime::duration(open_until_.load()));
  }

  // For logs and metrics, from the driving thread.
  const std::string& holder() const { return record_.holder; }  // "" = nobody, as far as we know
  std::int64_t transitions() const { return record_.transitions; }
  const std::string& last_error() const { return last_error_; }

 private:
  struct Record {
    std::string holder{};
    seconds duration{};
    std::string acquired{};  // MicroTime, as it stands there
    std::string renewed{};
    std::int64_t transitions = 0;
    bool operator==(const Record&) const = default;
  };

  static Record read_record(const Json& lease);
  void observe(const Json& lease);
  bool is_free() const;
  void pause(milliseconds span);
  void fail(const Error& error);
  void end();
  SteadyTime renew_due() const { return renewed_ + kRenewDeadline; }
  Json write_body() const;

  const ObjectKey key_;
  const std::string identity_;
  const Clock& clock_;
  Random& random_;

  Record record_{};         // as last read or written
  std::string version_{};   // its resourceVersion; "" = there is no Lease
  bool seen_ = false;       // there has been one
  SteadyTime moved_{};      // when we first saw `record_`
  bool may_write_ = false;  // upon `version_`: it is fresh, and the Lease is ours or free
  bool leading_ = false;
  bool ended_ = false;
  SteadyTime sent_{};     // the write in hand
  SteadyTime renewed_{};  // the last write that succeeded, when it was sent
  SteadyTime not_before_{};
  int failures_ = 0;  // in a row
  std::string last_error_{};
  std::atomic<SteadyTime::rep> open_until_ = 0;  // long ago
};

}  // namespace weir
