// What the server refuses beyond the schema: names, labels, identity, fields that cannot change, and what CEL rules say. Pure.
#pragma once

#include <vector>

#include "sim/server/resource.h"

namespace weir::sim {

// metadata.ownerReferences, labels … as every kind has them.
Schema metadata_schema();

// Of a new object, or of `old` changed into `object`; null: new. Looks at nothing that has not changed.
std::vector<Cause> check_metadata(const Resource& resource, const Json& object, const Json* old);
std::vector<Cause> check_immutable(const Resource& resource, const Json& object, const Json& old);
// Rules across fields; asked only when the schema has nothing to say.
std::vector<Cause> check_across(const Resource& resource, const Json& object, const Json* old);

}  // namespace weir::sim
