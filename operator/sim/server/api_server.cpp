#include "sim/server/api_server.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/resource_version.h"

namespace weir::sim {
namespace {

constexpr std::string_view kManager = "weir";

ObjectRef ref_of(const Kind& kind, const ObjectKey& key) { return {std::string(kind.plural), key}; }

Answer<const Resource*> resource_of(const Kind& kind) {
  const auto* resource = find_resource(kind.plural);
  if (resource && resource->group == kind.group && resource->version == kind.version)
    return resource;
  return Refusal{404, "NotFound", "the server could not find the requested resource"};
}

WriteOptions options_of(bool dry_run) {
  WriteOptions options;
  options.manager = kManager;
  options.force = true;
  options.dry_run = dry_run;
  return options;
}

bool has_test(const Json& patch) {
  return patch.is_array() && std::any_of(patch.begin(), patch.end(), [](const Json& operation) {
           return json_text(operation, {"op"}) == "test";
         });
}

// As HttpApiClient, which takes an operation that does not fit for a newer object when the patch tests something.
Error patch_error(const Refusal& refusal, bool tests) {
  if (tests && refusal.code == 422 && refusal.causes.empty())
    return Error{ErrorKind::Conflict, "the patch does not fit the object as it is now"};
  return to_error(refusal);
}

PatchKind kind_of(Patch::Type type) {
  switch (type) {
    case Patch::Type::Apply: return PatchKind::Apply;
    case Patch::Type::JsonPatch: return PatchKind::Json;
    case Patch::Type::JsonMerge: break;
  }
  return PatchKind::Merge;
}

}  // namespace

std::optional<SeenEvent> seen_where(const ServerEvent& event,
                                    const std::function<bool(const Json&)>& matches) {
  const bool deleted = event.type == "DELETED";
  const bool after = !deleted && matches(*event.object);
  const bool before = event.previous && matches(*event.previous);
  if (after) return SeenEvent{before ? "MODIFIED" : "ADDED", event.object};
  if (!before) return std::nullopt;
  if (deleted) return SeenEvent{"DELETED", event.object};
  // The last state that matched, with the version of the change that ended it.
  Json last = *event.previous;
  last["metadata"]["resourceVersion"] = std::to_string(event.version);
  return SeenEvent{"DELETED", std::make_shared<const Json>(std::move(last))};
}

std::optional<SeenEvent> seen_by(const ServerEvent& event, const Selection& selection) {
  if (!selection.ns.empty() && event.ref.key.ns != selection.ns) return std::nullopt;
  const auto labels = LabelSelector::parse(selection.labels);
  if (!labels) return std::nullopt;
  return seen_where(event, [&](const Json& object) { return labels->matches(object); });
}

std::string event_line(std::string_view type, const Json& object) {
  return fmt::format(R"({{"type":"{}","object":{}}})", type, dump_json(object));
}

std::string bookmark_line(const Kind& kind, std::uint64_t version) {
  return event_line("BOOKMARK", Json{{"kind", kind.name},
                                     {"apiVersion", kind.api_version()},
                                     {"metadata", {{"resourceVersion", std::to_string(version)}}}});
}

Result<Json> ApiServer::get(const Kind& kind, const ObjectKey& key, const Deadline& /*deadline*/) {
  const auto resource = resource_of(kind);
  if (!resource) return to_error(resource.error());
  const auto entry = registry_.get(**resource, key);
  if (!entry) return to_error(entry.error());
  return *entry->object;
}

Result<ListPage> ApiServer::list(const Kind& kind, const Selection& selection,
                                 const std::string& next, const Deadline& /*deadline*/) {
  const auto resource = resource_of(kind);
  if (!resource) return to_error(resource.error());
  const auto labels = LabelSelector::parse(selection.labels);
  if (!labels) return to_error(labels.error());
  ListQuery query{selection.ns, *labels, {}, static_cast<std::size_t>(kListPageSize), next};
  const auto listed = registry_.list(**resource, query);
  if (!listed) return to_error(listed.error());
  ListPage page;
  for (const auto& entry : listed->entries) page.items.push_back(*entry.object);
  page.resource_version = std::to_string(listed->version);
  page.next = listed->next;
  return page;
}

Result<Json> ApiServer::create(const Kind& kind, const std::string& ns, const Json& object,
                               bool dry_run, const Deadline& /*deadline*/) {
  const auto resource = resource_of(kind);
  if (!resource) return to_error(resource.error());
  const auto written = registry_.create(**resource, ns, object, options_of(dry_run));
  if (!written) return to_error(written.error());
  return *written->entry.object;
}

Result<Json> ApiServer::patch(const Kind& kind, const ObjectKey& key, const Patch& patch,
                              const Deadline& /*deadline*/) {
  const auto resource = resource_of(kind);
  if (!resource) return to_error(resource.error());
  auto body = parse_json(patch.body);
  if (!body) return Error{ErrorKind::Invalid, body.error().message};
  const bool tests = has_test(*body);
  const auto written = registry_.patch(**resource, key, patch.subresource, kind_of(patch.type),
                                       *std::move(body), options_of(patch.dry_run));
  if (!written) return patch_error(written.error(), tests);
  return *written->entry.object;
}

Result<void> ApiServer::remove(const Kind& kind, const ObjectKey& key, const std::string& uid,
                               const Deadline& /*deadline*/) {
  if (uid.empty())
    return Error{ErrorKind::Invalid,
                 fmt::format("{} {}: a deletion needs the uid", kind.name, to_string(key))};
  const auto resource = resource_of(kind);
  if (!resource) return to_error(resource.error());
  const auto removed = registry_.remove(**resource, key, {uid});
  if (!removed) return to_error(removed.error());
  return {};
}

Result<void> ApiServer::watch(const WatchRequest& request, const OnLine& on_line,
                              const std::stop_token& /*stop*/) {
  ASSIGN_OR_RETURN(const auto events,
                   since(parse_resource_version(request.resource_version), request.kind));
  for (const auto* event : events) {
    const auto seen = seen_by(*event, request.selection);
    if (seen && !on_line(event_line(seen->type, *seen->object))) return {};
  }
  return {};
}

Result<std::vector<const ServerEvent*>> ApiServer::since(std::uint64_t version,
                                                         const Kind& kind) const {
  const auto compacted = registry_.store().compacted();
  if (version < compacted)
    return Error{ErrorKind::Gone,
                 fmt::format("too old resource version: {} ({})", version, compacted)};
  const auto& history = registry_.store().history(kind.plural);
  auto event = std::upper_bound(
      history.begin(), history.end(), version,
      [](std::uint64_t position, const ServerEvent& each) { return position < each.version; });
  std::vector<const ServerEvent*> result;
  for (; event != history.end(); ++event) result.push_back(&*event);
  return result;
}

const Json* ApiServer::find(const Kind& kind, const ObjectKey& key) const {
  const auto* entry = registry_.store().find(ref_of(kind, key));
  return entry ? entry->object.get() : nullptr;
}

std::vector<ApiServer::Held> ApiServer::all(const Kind& kind) const {
  std::vector<Held> result;
  for (const auto& [key, entry] : registry_.store().objects(kind.plural))
    result.push_back(entry.object);
  return result;
}

void ApiServer::set_status(const Kind& kind, const ObjectKey& key, const Json& status) {
  const auto* object = find(kind, key);
  if (!object || json_at(*object, {"status"}) == status) return;
  Json changed = *object;
  changed["status"] = status;
  registry_.force_put(ref_of(kind, key), std::move(changed));
}

void ApiServer::edit(const Kind& kind, const ObjectKey& key,
                     const std::function<void(Json&)>& change) {
  const auto* object = find(kind, key);
  if (!object) return;
  Json changed = *object;
  change(changed);
  if (changed != *object) registry_.force_put(ref_of(kind, key), std::move(changed));
}

void ApiServer::drop(const Kind& kind, const ObjectKey& key) {
  registry_.force_erase(ref_of(kind, key));
}

void ApiServer::add_namespace(const std::string& name) {
  (void)registry_.create(*find_resource("namespaces"), "", Json{{"metadata", {{"name", name}}}},
                         options_of(false));
}

}  // namespace weir::sim
