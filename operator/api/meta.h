// What all objects share, and what of others' objects we keep.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "kube/object.h"

namespace weir {

// Labels and annotations of ours; everything else of an object's metadata is not kept.
namespace marks {
inline constexpr std::string_view kPrefix = "weir.dev/";
inline constexpr std::string_view kRelease = "weir.dev/release";  // label: name of the Release
inline constexpr std::string_view kRevision =
    "weir.dev/revision";  // label: short hash of the revision
inline constexpr std::string_view kRole =
    "weir.dev/role";  // label on Services: "revision" | "callers"
inline constexpr std::string_view kPolicy =
    "weir.dev/policy";  // annotation on a ReplicaSet: the pinned policy (JSON)
inline constexpr std::string_view kTraffic =
    "weir.dev/traffic";  // annotation on a route: what its weights mean (JSON)
// Annotations on a Release: what a person asks of it. See delivery/requests.h.
inline constexpr std::string_view kRequest = "weir.dev/request";
inline constexpr std::string_view kRequestId = "weir.dev/request-id";
inline constexpr std::string_view kRequestedBy = "weir.dev/requested-by";
}  // namespace marks

struct ObjectMeta {
  ObjectKey key;
  std::string uid;
  std::string resource_version;
  std::int64_t generation = 0;
  bool deleting = false;
  std::optional<WallTime> created;
  std::string owner_uid;  // of the controlling owner; "" = none
  std::string owner_name;
  std::string owner_kind;
  std::map<std::string, std::string, std::less<>> labels;       // weir.dev/* only
  std::map<std::string, std::string, std::less<>> annotations;  // weir.dev/* only
};

// metav1.Condition
struct Condition {
  std::string type;
  std::string status;  // True | False | Unknown
  std::string reason;
  std::string message;
  std::int64_t observed_generation = 0;
  WallTime last_transition{};
  bool operator==(const Condition&) const = default;
};

}  // namespace weir
