#include "delivery/pin_memo.h"

namespace weir {

Result<PinnedPolicy> PinMemo::decode(const std::string& text) {
  {
    Lock lock(mutex_);
    const auto found = decoded_.find(text);
    if (found != decoded_.end()) return found->second;
  }
  auto pinned = decode_pin(text);
  if (!pinned) return pinned;
  Lock lock(mutex_);
  if (decoded_.size() >= kMaxPins) decoded_.clear();
  decoded_.emplace(text, *pinned);
  return pinned;
}

}  // namespace weir
