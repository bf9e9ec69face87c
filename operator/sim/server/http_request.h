// A request to the API, understood. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "net/http_server.h"
#include "sim/server/registry.h"

namespace weir::sim {

// /apis/GROUP/VERSION/namespaces/NS/PLURAL/NAME/SUBRESOURCE, or parts of it.
struct Target {
  const Resource* resource = nullptr;
  std::string ns{};
  std::string name{};  // "" = the collection
  std::string subresource{};
};

enum class View { Plain, Table, Metadata };

// Nothing for a path that names no resource of ours.
std::optional<Target> target_of(const std::string& path);
std::string query_value(const ServedRequest& request, const std::string& name);
bool query_flag(const ServedRequest& request, const std::string& name);
View view_of(const ServedRequest& request);

// Refused: 400, or 415 for a body in a format that we do not read.
Answer<Json> body_of(const ServedRequest& request);
Answer<PatchKind> patch_kind_of(const ServedRequest& request, const Resource& resource);
Answer<WriteOptions> write_options(const ServedRequest& request,
                                   std::vector<std::string>& warnings);
Answer<DeleteOptions> delete_options(const ServedRequest& request);
Answer<ListQuery> list_query(const ServedRequest& request, const Target& target);

// As HTTP shows it, with managedFields.
Json http_object(const Json& object, const Managers* managers);
HttpReply reply_of(const Json& json, int status = 200);
HttpReply reply_of(const Refusal& refusal);

}  // namespace weir::sim
