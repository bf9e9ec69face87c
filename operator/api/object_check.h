// An object of ours as a person wrote it, held against all that its schema and its decoder demand. Pure.
#pragma once

#include <vector>

#include "api/field_reader.h"
#include "base/json.h"

namespace weir {

// Whether the object is of the group weir.dev, in whatever version or kind.
bool is_of_our_group(const Json& object);

// All that the API server (strict, as kubectl asks it) or the operator would refuse: wrong and unknown fields. In the order of
// the fields' reading; empty when the object is right.
std::vector<Fault> check_object(const Json& object);

}  // namespace weir
