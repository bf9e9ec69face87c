#include "kube/paths.h"

#include <fmt/format.h>

#include "net/url.h"

namespace weir {
namespace {

// What Kubernetes itself refuses as a path segment (apimachinery, IsValidPathSegmentName).
bool is_segment(std::string_view text) {
  return !text.empty() && text != "." && text != ".." &&
         text.find_first_of("/%") == std::string_view::npos;
}

Error bad_segment(const Kind& kind, std::string_view what, std::string_view text) {
  return Error{ErrorKind::Invalid, fmt::format("{}: \"{}\" cannot be a {}", kind.name, text, what)};
}

}  // namespace

Result<std::string> collection_path(const Kind& kind, const std::string& ns) {
  std::string path = kind.group.empty() ? fmt::format("/api/{}", kind.version)
                                        : fmt::format("/apis/{}/{}", kind.group, kind.version);
  if (!ns.empty()) {
    if (!is_segment(ns)) return bad_segment(kind, "namespace", ns);
    path += "/namespaces/" + percent_encode(ns);
  }
  return path + "/" + std::string(kind.plural);
}

Result<std::string> object_path(const Kind& kind, const ObjectKey& key,
                                std::string_view subresource) {
  if (!is_segment(key.name)) return bad_segment(kind, "name", key.name);
  ASSIGN_OR_RETURN(std::string path, collection_path(kind, key.ns));
  path += "/" + percent_encode(key.name);
  if (!subresource.empty()) path += "/" + percent_encode(subresource);
  return path;
}

std::string query_string(const std::vector<std::pair<std::string_view, std::string>>& pairs) {
  std::string query;
  for (const auto& [name, value] : pairs) {
    if (value.empty()) continue;
    query += fmt::format("{}{}={}", query.empty() ? '?' : '&', name, percent_encode(value));
  }
  return query;
}

}  // namespace weir
