// What kubectl prints: objects as rows of a meta.k8s.io/v1 Table. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "sim/server/resource.h"

namespace weir::sim {

// The value that a printer column's JSONPath names: dots, [0] and [?(@.type=="Ready")]; null when there is none.
const Json& json_path(const Json& object, std::string_view path);

// "5s", "9m6s", "3h", "12d", as kubectl shows ages.
std::string human_duration(seconds span);

// columns: with columnDefinitions, which a watch sends only once.
Json table_of(const Resource& resource, const std::vector<const Json*>& objects, bool columns,
              WallTime now);

}  // namespace weir::sim
