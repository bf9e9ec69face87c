// Where the API server keeps what (https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "kube/object.h"

namespace weir {

// All objects of a kind in a namespace; "" = in all namespaces, or a cluster-scoped kind.
// Error kind: Invalid, for a namespace that cannot stand in a path.
Result<std::string> collection_path(const Kind& kind, const std::string& ns);

// One object, or its subresource. Error kind: Invalid, for an empty name above all: its path would be the collection's, and a
// delete would delete all.
Result<std::string> object_path(const Kind& kind, const ObjectKey& key,
                                std::string_view subresource = "");

// "?a=b&c=d" with encoded values, without the pairs whose value is empty; "" when none is left.
std::string query_string(const std::vector<std::pair<std::string_view, std::string>>& pairs);

}  // namespace weir
