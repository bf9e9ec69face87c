// Who waits for which metric source. A source is asked one joint query at a time; what comes meanwhile waits for the next one, so that
// a slow source gets fewer and larger queries and holds one thread, not all.
#pragma once

#include <compare>
#include <map>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "delivery/joint_question.h"
#include "kube/object.h"

namespace weir {

inline constexpr std::size_t kMostTogether = 16;     // questions in one query
inline constexpr std::size_t kSourceWaitMax = 4096;  // questions that wait for one source

// Questions that one query may ask: same server, same credentials, same patience.
struct SourceKey {
  std::string provider;  // its name
  std::string url;
  ObjectKey secret;  // its credentials; empty = none
  milliseconds timeout{0};
  auto operator<=>(const SourceKey&) const = default;
};

struct WaitingQuestion {
  ObjectKey release;
  std::shared_ptr<const ReleaseQuestion> question;
};

// How many are asked together follows the source: half as many when it fails, since each alone may be within its time-out and its
// limits; one more whenever it answers within a quarter of the time-out. Thread-safe; never blocks.
class SourceQueues {
 public:
  enum class Added {
    Waits,    // somebody asks the source and will come to it
    MustAsk,  // nobody does: the caller must see to it that `next` is called until it has nothing
    Refused,  // kSourceWaitMax
  };
  Added add(const SourceKey& source, WaitingQuestion question);

  // Those to ask now, the oldest first. Empty: none waits, and nobody asks any more.
  std::vector<WaitingQuestion> next(const SourceKey& source);

  // Everything that waits for a source whose asker gives up: nobody asks any more.
  std::vector<WaitingQuestion> drop(const SourceKey& source);

  // How the query went that `next` was for: `took` is what it took.
  void told(const SourceKey& source, bool answered, milliseconds took);

 private:
  struct Queue {
    std::vector<WaitingQuestion> waiting;
    bool is_asked = false;
    std::size_t together = kMostTogether;
  };
  void forget_idle() REQUIRES(mutex_);

  Mutex mutex_;
  std::map<SourceKey, Queue> queues_ GUARDED_BY(mutex_);
};

}  // namespace weir
