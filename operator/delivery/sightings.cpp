#include "delivery/sightings.h"

#include <nlohmann/json.hpp>

#include "kube/kinds.h"

namespace weir {

void Sightings::put(const ObjectKey& concerning, const Kind& kind, Sighting sighting) {
  // Of pods, of which there are many, nobody wants to know more than whose they are.
  if (kind == kinds::kPod) {
    for (auto& pod : sighting.objects) {
      const Json meta = json_at(pod, {"metadata"});
      pod = Json{{"metadata", meta}};
    }
  }
  const auto entry = std::make_shared<const Sighting>(std::move(sighting));
  Lock lock(mutex_);
  seen_[concerning][std::string(kind.plural)] = entry;
}

Sightings::Seen Sightings::of(const ObjectKey& concerning) const {
  Lock lock(mutex_);
  const auto found = seen_.find(concerning);
  return found == seen_.end() ? Seen() : found->second;
}

void Sightings::forget(const ObjectKey& concerning) {
  Lock lock(mutex_);
  seen_.erase(concerning);
}

}  // namespace weir
