// What was looked up for a decision, because no watch covers it. Passive; thread-safe.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/mutex.h"
#include "kube/object.h"

namespace weir {

// The newest answer about one kind.
struct Sighting {
  std::vector<Json> objects;  // none: there are none
  std::string of;             // the name or the labels that were asked for
  WallTime at{};
};

class Sightings {
 public:
  using Seen = std::map<std::string, std::shared_ptr<const Sighting>>;  // by plural

  void put(const ObjectKey& concerning, const Kind& kind, Sighting sighting);
  Seen of(const ObjectKey& concerning) const;
  void forget(const ObjectKey& concerning);

 private:
  mutable Mutex mutex_;
  std::map<ObjectKey, Seen> seen_ GUARDED_BY(mutex_);
};

}  // namespace weir
