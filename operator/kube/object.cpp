#include "kube/object.h"

#include <fmt/format.h>

namespace weir {

std::string Kind::api_version() const {
  return group.empty() ? std::string(version) : fmt::format("{}/{}", group, version);
}

std::string to_string(const ObjectKey& key) {
  return key.ns.empty() ? key.name : fmt::format("{}/{}", key.ns, key.name);
}

}  // namespace weir
