// Many revisions are pinned to few policies: each pin is decoded once.
#pragma once

#include <map>
#include <string>

#include "base/mutex.h"
#include "delivery/revision.h"

namespace weir {

// Thread-safe.
class PinMemo {
 public:
  static constexpr std::size_t kMaxPins = 256;

  // As decode_pin.
  Result<PinnedPolicy> decode(const std::string& text);

 private:
  Mutex mutex_;
  std::map<std::string, PinnedPolicy> decoded_ GUARDED_BY(mutex_);
};

}  // namespace weir
