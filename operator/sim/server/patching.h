// The ways to change an object. Pure.
#pragma once

#include "sim/server/refusal.h"
#include "sim/server/schema.h"

namespace weir::sim {

enum class PatchKind { Json, Merge, Strategic, Apply };

// RFC 6902. Refused: 422 when an operation does not fit, a failed test above all; 400 when it is no list.
Answer<Json> json_patched(const Json& object, const Json& patch);
// RFC 7386. Refused: 400 when it is no object.
Answer<Json> merge_patched(const Json& object, const Json& patch);
// Lists with keys are merged by their first key, with the directives that kubectl sends ($patch, $retainKeys,
// $setElementOrder, $deleteFromPrimitiveList).
Answer<Json> strategic_patched(const Schema& schema, const Json& object, const Json& patch);

}  // namespace weir::sim
