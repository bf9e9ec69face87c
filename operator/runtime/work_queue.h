// Which key is due when. Passive: (input, now) → output; the waiting is the controller's. After kube-rs' scheduler and client-go's
// workqueue: a key waits once, at its earliest time, and is never worked on twice at the same time.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/clock.h"
#include "kube/object.h"

namespace weir {

// Not thread-safe. Its size is bounded by the number of live keys.
class WorkQueue {
 public:
  // Due at `at`, or earlier if it already is. A key that is being worked on becomes due after `done`.
  void add(const ObjectKey& key, SteadyTime at);

  // Not due before `until`, whatever is added meanwhile, until it is taken again. For a key that is being worked on.
  void hold(const ObjectKey& key, SteadyTime until) { held_[key] = until; }

  // A key that is due, now being worked on until `done`.
  std::optional<ObjectKey> take(SteadyTime now);
  void done(const ObjectKey& key);

  // When the next key is due; nothing when none waits.
  std::optional<SteadyTime> next_due() const;

  std::size_t waiting() const { return due_.size(); }

  // Exponential back-off per key: the pause after one more failure, 50 ms · 2^n up to `longest`.
  milliseconds next_back_off(const ObjectKey& key, milliseconds longest);
  void forget_failures(const ObjectKey& key) { failures_.erase(key); }

 private:
  std::map<ObjectKey, SteadyTime> due_;
  std::set<std::pair<SteadyTime, ObjectKey>> order_;
  std::set<ObjectKey> running_;
  std::map<ObjectKey, SteadyTime> after_running_;
  std::map<ObjectKey, SteadyTime> held_;
  std::map<ObjectKey, int> failures_;
};

}  // namespace weir
