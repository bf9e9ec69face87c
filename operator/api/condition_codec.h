#pragma once

#include <vector>

#include "api/meta.h"
#include "base/json.h"

namespace weir {

// Lenient: what cannot be read is left out. Each type once; the first wins.
std::vector<Condition> decode_conditions(const Json& list);

// At most as many, and texts as long, as the schemas allow: a refused status would lose all of it.
Json encode_conditions(const std::vector<Condition>& conditions);

}  // namespace weir
