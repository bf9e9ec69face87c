// Kubernetes Events about the objects of a plan, with the manners of client-go's recorder (k8s.io/client-go/tools/record,
// events_cache.go): what was said before is counted, and one object may not talk without end.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "base/clock.h"
#include "base/mutex.h"
#include "kube/api_client.h"
#include "runtime/plan.h"

namespace weir {

// Thread-safe. References must outlive it. Its memory is volatile: a new process says things once more.
class EventRecorder {
 public:
  EventRecorder(ApiClient& api, const Clock& clock) : api_(api), clock_(clock) {}

  // Which write was made: "create", "patch" when the same was said of the object within ten minutes, or "" when the object has had
  // 25 Events and its share of one more every five minutes is used up. Errors: those of ApiClient.
  Result<std::string_view> record(const RecordEvent& event, const Deadline& deadline);

 private:
  using Saying = std::tuple<std::string, std::string, std::string>;  // uid, reason, message
  struct Said {
    std::string name;  // of the Event
    int count = 1;
    WallTime last{};
  };
  struct Allowance {
    double events = 0;
    WallTime at{};
  };

  bool may_talk(const std::string& uid, WallTime now) REQUIRES(mutex_);
  void forget(WallTime now) REQUIRES(mutex_);
  Result<void> count_again(const RecordEvent& event, const Said& said, const Deadline& deadline);

  ApiClient& api_;
  const Clock& clock_;
  Mutex mutex_;
  std::map<Saying, Said> said_ GUARDED_BY(mutex_);
  std::map<std::string, Allowance> allowances_ GUARDED_BY(mutex_);  // by uid
  unsigned number_ GUARDED_BY(mutex_) = 0;  // makes names of Events of one instant different
};

}  // namespace weir
