#include "api/owner_reference.h"

#include <nlohmann/json.hpp>

namespace weir {

Json owner_reference(const Kind& kind, const std::string& name, const std::string& uid) {
  Json owner;
  owner["apiVersion"] = kind.api_version();
  owner["kind"] = kind.name;
  owner["name"] = name;
  owner["uid"] = uid;
  owner["controller"] = true;
  owner["blockOwnerDeletion"] = true;
  return owner;
}

}  // namespace weir
