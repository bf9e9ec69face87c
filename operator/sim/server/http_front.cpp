#include "sim/server/http_front.h"

#include <fmt/format.h>

#include "sim/server/discovery.h"
#include "sim/server/table.h"

namespace weir::sim {
namespace {

constexpr std::uint64_t kHistory = 10'000;  // versions; who is further behind must list again

HttpReply not_there() { return {404, "text/plain; charset=utf-8", "404 page not found\n"}; }

Json metadata_only(const Json& object) {
  return Json{{"kind", "PartialObjectMetadata"},
              {"apiVersion", "meta.k8s.io/v1"},
              {"metadata", json_at(object, {"metadata"})}};
}

// A kind that is built in shows its items without kind and apiVersion.
Json item_of(const Resource& resource, const Entry& entry) {
  Json item = http_object(*entry.object, entry.managers.get());
  if (!resource.custom) {
    item.erase("kind");
    item.erase("apiVersion");
  }
  return item;
}

Json list_metadata(const Page& page) {
  Json metadata{{"resourceVersion", std::to_string(page.version)}};
  if (!page.next.empty()) metadata["continue"] = page.next;
  if (page.remaining) metadata["remainingItemCount"] = *page.remaining;
  return metadata;
}

Json list_of(const Resource& resource, const Page& page, View view) {
  Json list{{"kind", resource.list_kind},
            {"apiVersion", resource.api_version()},
            {"metadata", list_metadata(page)},
            {"items", Json::array()}};
  if (view == View::Metadata) {
    list["kind"] = "PartialObjectMetadataList";
    list["apiVersion"] = "meta.k8s.io/v1";
  }
  for (const auto& entry : page.entries)
    list["items"].push_back(view == View::Metadata ? metadata_only(*entry.object)
                                                   : item_of(resource, entry));
  return list;
}

Json table_page(const Resource& resource, const Page& page, WallTime now) {
  std::vector<const Json*> objects;
  for (const auto& entry : page.entries) objects.push_back(entry.object.get());
  Json table = table_of(resource, objects, true, now);
  table["metadata"] = list_metadata(page);
  return table;
}

Json success(const Target& target, const std::string& uid) {
  Json details{{"name", target.name}, {"kind", target.resource->plural}};
  if (!uid.empty()) details["uid"] = uid;
  if (!target.resource->group.empty()) details["group"] = target.resource->group;
  return Json{{"kind", "Status"},
              {"apiVersion", "v1"},
              {"metadata", Json::object()},
              {"status", "Success"},
              {"details", std::move(details)}};
}

Refusal too_new(std::uint64_t asked, std::uint64_t now) {
  Refusal refusal{504, "Timeout",
                  fmt::format("Timeout: Too large resource version: {}, current: {}", asked, now)};
  refusal.causes.push_back({"", "ResourceVersionTooLarge", "Too large resource version"});
  refusal.retry_after_seconds = 1;
  return refusal;
}

}  // namespace

HttpReply HttpFront::handle(const ServedRequest& request) {
  const auto& path = request.path;
  if (path == "/healthz" || path == "/livez" || path == "/readyz") return {200, "text/plain", "ok"};
  if (const auto found = discovery(path)) return reply_of(*found);
  const auto target = target_of(path);
  if (!target) return not_there();
  Lock lock(mutex_);
  auto reply = act(*target, request);
  if (request.method != "GET") has_changed();
  return reply;
}

void HttpFront::with_server(const std::function<void(ApiServer&)>& act) {
  Lock lock(mutex_);
  act(server_);
  has_changed();
}

void HttpFront::has_changed() {
  if (server_.version() > kHistory) server_.compact(server_.version() - kHistory);
  changed_.notify_all();
}

HttpReply HttpFront::act(const Target& target, const ServedRequest& request) {
  const auto& method = request.method;
  const bool one = !target.name.empty();
  const bool whole = target.subresource.empty();
  if (method == "GET" && !one)
    return query_flag(request, "watch") ? watch(target, request) : list(target, request);
  if (method == "GET") return read(target, request);
  if ((method == "POST" && !one) || ((method == "PUT" || method == "PATCH") && one))
    return write(target, request);
  if (method == "DELETE" && one && whole) return remove(target, request);
  if (method == "DELETE" && !one) return remove_all(target, request);
  return reply_of(Refusal{405, "MethodNotAllowed",
                          "the server does not allow this method on the requested resource"});
}

HttpReply HttpFront::read(const Target& target, const ServedRequest& request) {
  const auto& resource = *target.resource;
  const auto entry = server_.registry().get(resource, {target.ns, target.name});
  if (!entry) return reply_of(entry.error());
  if (target.subresource == "scale")
    return reply_of(server_.registry().scale_of(resource, *entry->object));
  const auto view = view_of(request);
  if (view == View::Table) {
    Json table = table_of(resource, {entry->object.get()}, true, clock_.now());
    table["metadata"]["resourceVersion"] = json_at(*entry->object, {"metadata", "resourceVersion"});
    return reply_of(table);
  }
  if (view == View::Metadata) return reply_of(metadata_only(*entry->object));
  return reply_of(http_object(*entry->object, entry->managers.get()));
}

HttpReply HttpFront::list(const Target& target, const ServedRequest& request) {
  auto query = list_query(request, target);
  if (!query) return reply_of(query.error());
  ListQuery wanted = std::move(query).value();
  if (wanted.at > server_.version()) return reply_of(too_new(wanted.at, server_.version()));
  if (!wanted.next.empty() && wanted.at != 0)
    return reply_of(bad_request("specifying resource version is not allowed when using continue"));
  // Only asked for exactly, an older version is worth the search.
  if (query_value(request, "resourceVersionMatch") != "Exact") wanted.at = 0;
  const auto page = server_.registry().list(*target.resource, wanted);
  if (!page) return reply_of(page.error());
  const auto view = view_of(request);
  return reply_of(view == View::Table ? table_page(*target.resource, *page, clock_.now())
                                      : list_of(*target.resource, *page, view));
}

HttpReply HttpFront::write(const Target& target, const ServedRequest& request) {
  std::vector<std::string> warnings;
  const auto options = write_options(request, warnings);
  if (!options) return reply_of(options.error());
  auto& registry = server_.registry();
  const auto& resource = *target.resource;
  const ObjectKey key{target.ns, target.name};
  const auto written = [&]() -> Answer<Written> {
    if (request.method == "PATCH") {
      ASSIGN_OR_RETURN(const auto kind, patch_kind_of(request, resource));
      ASSIGN_OR_RETURN(Json patch, body_of(request));
      return registry.patch(resource, key, target.subresource, kind, std::move(patch), *options);
    }
    ASSIGN_OR_RETURN(Json body, body_of(request));
    if (request.method == "PUT")
      return registry.update(resource, key, target.subresource, std::move(body), *options);
    return registry.create(resource, target.ns, std::move(body), *options);
  }();
  if (!written) return reply_of(written.error());
  auto reply = reply_of(http_object(*written->entry.object, written->entry.managers.get()),
                        written->created ? 201 : 200);
  for (const auto& warning : warnings)
    reply.headers.emplace("Warning", fmt::format("299 - {}", dump_json(Json(warning))));
  return reply;
}

HttpReply HttpFront::remove(const Target& target, const ServedRequest& request) {
  const auto options = delete_options(request);
  if (!options) return reply_of(options.error());
  auto& registry = server_.registry();
  const ObjectKey key{target.ns, target.name};
  const auto before = registry.get(*target.resource, key);
  const auto removed = registry.remove(*target.resource, key, *options);
  if (!removed) return reply_of(removed.error());
  if (removed->object) return reply_of(http_object(*removed->object, removed->managers.get()));
  return reply_of(success(target, json_text(*before->object, {"metadata", "uid"})));
}

HttpReply HttpFront::remove_all(const Target& target, const ServedRequest& request) {
  const auto options = delete_options(request);
  if (!options) return reply_of(options.error());
  const auto query = list_query(request, target);
  if (!query) return reply_of(query.error());
  const auto page = server_.registry().list(*target.resource, *query);
  if (!page) return reply_of(page.error());
  for (const auto& entry : page->entries) {
    const ObjectKey key{json_text(*entry.object, {"metadata", "namespace"}),
                        json_text(*entry.object, {"metadata", "name"})};
    // One may have gone with another, its owner.
    (void)server_.registry().remove(*target.resource, key, *options);
  }
  return reply_of(list_of(*target.resource, *page, View::Plain));
}

}  // namespace weir::sim
