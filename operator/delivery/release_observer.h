#pragma once

#include <optional>

#include "delivery/pin_memo.h"
#include "delivery/release_caches.h"
#include "delivery/release_snapshot.h"

namespace weir {

// Reads caches only; no I/O. References must outlive it. Thread-safe.
class ReleaseObserver {
 public:
  ReleaseObserver(const ReleaseCaches& caches, const EvidenceBook& evidence,
                  const ConfigBook& config, const Plugins& plugins)
      : caches_(caches), evidence_(evidence), config_(config), plugins_(plugins) {}

  // Nothing when the Release is not there.
  std::optional<ReleaseSnapshot> observe(const ObjectKey& key) const;

 private:
  void observe_workload(ReleaseSnapshot& snapshot) const;
  void observe_children(ReleaseSnapshot& snapshot) const;
  void observe_traffic(ReleaseSnapshot& snapshot) const;
  std::optional<Traffic> observe_memo(ReleaseSnapshot& snapshot) const;
  std::shared_ptr<const RawObject> route_of(const TrafficRouter& router,
                                            const ReleaseSnapshot& snapshot) const;
  Result<PinnedPolicy> policy_for(const ReleaseSnapshot& snapshot, const std::string& shown) const;

  const ReleaseCaches& caches_;
  const EvidenceBook& evidence_;
  const ConfigBook& config_;
  const Plugins& plugins_;
  mutable PinMemo pins_;
};

}  // namespace weir
