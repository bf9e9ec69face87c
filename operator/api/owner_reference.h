// For metadata.ownerReferences of what an object of ours has made.
#pragma once

#include "base/json.h"
#include "kube/object.h"

namespace weir {

// The owner is the controller, and its deletion in the foreground waits for the child. Pure.
Json owner_reference(const Kind& kind, const std::string& name, const std::string& uid);

}  // namespace weir
