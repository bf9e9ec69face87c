#include "sim/server/api_server.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/time_format.h"
#include "kube/kinds.h"
#include "runtime/resource_version.h"

namespace weir::sim {
namespace {

ObjectRef ref_of(const Kind& kind, const ObjectKey& key) { return {std::string(kind.plural), key}; }

Error not_found(const Kind& kind, const ObjectKey& key) {
  return {ErrorKind::NotFound, fmt::format("{} \"{}\" not found", kind.plural, key.name)};
}

// The preconditions that a patch body carries, as the API server checks them.
std::optional<Error> refused(const Json& object, const Json& body) {
  const auto uid = json_text(body, {"metadata", "uid"});
  if (!uid.empty() && uid != json_text(object, {"metadata", "uid"}))
    return Error{ErrorKind::Invalid, "metadata.uid: field is immutable"};
  const auto version = json_text(body, {"metadata", "resourceVersion"});
  if (!version.empty() && version != json_text(object, {"metadata", "resourceVersion"}))
    return Error{ErrorKind::Conflict, "the object has been modified"};
  return std::nullopt;
}

}  // namespace

bool selected(const Json& object, const std::string& labels) {
  std::size_t pos = 0;
  while (pos < labels.size()) {
    const auto end = std::min(labels.find(',', pos), labels.size());
    const auto term = labels.substr(pos, end - pos);
    const auto equals = term.find('=');
    const Json& value = json_at(object, {"metadata", "labels", term.substr(0, equals)});
    if (!value.is_string()) return false;
    if (equals != std::string::npos && value != term.substr(equals + 1)) return false;
    pos = end + 1;
  }
  return true;
}

namespace {

bool covered(const Json& object, const Selection& selection) {
  return (selection.ns.empty() || json_text(object, {"metadata", "namespace"}) == selection.ns) &&
         selected(object, selection.labels);
}

}  // namespace

std::optional<SeenEvent> seen_by(const ServerEvent& event, const Selection& selection) {
  const bool deleted = event.type == "DELETED";
  const bool after = !deleted && covered(*event.object, selection);
  const bool before = event.previous && covered(*event.previous, selection);
  if (after) return SeenEvent{before ? "MODIFIED" : "ADDED", event.object};
  if (!before) return std::nullopt;
  if (deleted) return SeenEvent{"DELETED", event.object};
  // The last state that matched, with the version of the change that ended it.
  Json last = *event.previous;
  last["metadata"]["resourceVersion"] = std::to_string(event.version);
  return SeenEvent{"DELETED", std::make_shared<const Json>(std::move(last))};
}

std::string event_line(std::string_view type, const Json& object) {
  return fmt::format(R"({{"type":"{}","object":{}}})", type, dump_json(object));
}

std::string bookmark_line(const Kind& kind, std::uint64_t version) {
  return event_line("BOOKMARK", Json{{"kind", kind.name},
                                     {"apiVersion", kind.api_version()},
                                     {"metadata", {{"resourceVersion", std::to_string(version)}}}});
}

ApiServer::ApiServer(const Clock& clock) : clock_(clock) {}

Result<Json> ApiServer::get(const Kind& kind, const ObjectKey& key, const Deadline& /*deadline*/) {
  const Json* object = find(kind, key);
  if (!object) return not_found(kind, key);
  return *object;
}

Result<ListPage> ApiServer::list(const Kind& kind, const Selection& selection,
                                 const std::string& /*next*/, const Deadline& /*deadline*/) {
  ListPage page;
  for (const auto* object : all(kind)) {
    if (covered(*object, selection)) page.items.push_back(*object);
  }
  page.resource_version = std::to_string(version_);
  return page;
}

Result<Json> ApiServer::create(const Kind& kind, const std::string& ns, const Json& object,
                               bool dry_run, const Deadline& /*deadline*/) {
  const ObjectKey key{ns, json_text(object, {"metadata", "name"})};
  if (find(kind, key))
    return Error{ErrorKind::AlreadyExists,
                 fmt::format("{} \"{}\" already exists", kind.plural, key.name)};
  if (dry_run) return object;
  Json created = object;
  created["metadata"]["uid"] = fmt::format("uid-{}", ++uids_);
  created["metadata"]["generation"] = 1;
  created["metadata"]["creationTimestamp"] = format_time(clock_.now());
  return *store(ref_of(kind, key), std::move(created));
}

Result<Json> ApiServer::patch(const Kind& kind, const ObjectKey& key, const Patch& patch,
                              const Deadline& /*deadline*/) {
  const Json* object = find(kind, key);
  if (!object) return not_found(kind, key);
  auto body = parse_json(patch.body);
  if (!body) return Error{ErrorKind::Invalid, body.error().message};
  if (const auto error = refused(*object, *body)) return *error;
  Json changed = *object;
  if (patch.subresource == "status") {
    changed["status"] = json_at(*body, {"status"});
  } else {
    if (body->contains("metadata")) (*body)["metadata"].erase("resourceVersion");
    body->erase("status");
    changed.merge_patch(*body);
  }
  // As the real one: what changes nothing is no write.
  if (changed == *object) return changed;
  if (json_at(changed, {"spec"}) != json_at(*object, {"spec"}))
    changed["metadata"]["generation"] = json_int(changed, {"metadata", "generation"}) + 1;
  return *store(ref_of(kind, key), std::move(changed));
}

Result<void> ApiServer::remove(const Kind& kind, const ObjectKey& key, const std::string& uid,
                               const Deadline& /*deadline*/) {
  const Json* object = find(kind, key);
  if (!object) return not_found(kind, key);
  if (uid.empty()) return Error{ErrorKind::Invalid, "a delete without a uid"};
  if (uid != json_text(*object, {"metadata", "uid"}))
    return Error{ErrorKind::Conflict, "the object is another one"};
  drop(kind, key);
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
  if (version < compacted_)
    return Error{ErrorKind::Gone,
                 fmt::format("too old resource version: {} ({})", version, compacted_)};
  std::vector<const ServerEvent*> result;
  const auto table = tables_.find(kind.plural);
  if (table == tables_.end()) return result;
  const auto& history = table->second.history;
  auto event = std::upper_bound(
      history.begin(), history.end(), version,
      [](std::uint64_t position, const ServerEvent& each) { return position < each.version; });
  for (; event != history.end(); ++event) result.push_back(&*event);
  return result;
}

void ApiServer::compact(std::uint64_t version) {
  compacted_ = std::max(compacted_, std::min(version, version_));
  for (auto& [plural, table] : tables_) {
    while (!table.history.empty() && table.history.front().version <= compacted_)
      table.history.pop_front();
  }
}

const Stored* ApiServer::stored(const Kind& kind, const ObjectKey& key) const {
  const auto table = tables_.find(kind.plural);
  if (table == tables_.end()) return nullptr;
  const auto found = table->second.objects.find(key);
  return found == table->second.objects.end() ? nullptr : &found->second;
}

const Json* ApiServer::find(const Kind& kind, const ObjectKey& key) const {
  const auto* found = stored(kind, key);
  return found ? found->get() : nullptr;
}

std::vector<const Json*> ApiServer::all(const Kind& kind) const {
  std::vector<const Json*> result;
  const auto table = tables_.find(kind.plural);
  if (table == tables_.end()) return result;
  for (const auto& [key, object] : table->second.objects) result.push_back(object.get());
  return result;
}

void ApiServer::set_status(const Kind& kind, const ObjectKey& key, const Json& status) {
  const Json* object = find(kind, key);
  if (!object || json_at(*object, {"status"}) == status) return;
  Json changed = *object;
  changed["status"] = status;
  store(ref_of(kind, key), std::move(changed));
}

void ApiServer::edit(const Kind& kind, const ObjectKey& key,
                     const std::function<void(Json&)>& change) {
  const Json* object = find(kind, key);
  if (!object) return;
  Json changed = *object;
  change(changed);
  if (changed == *object) return;
  if (json_at(changed, {"spec"}) != json_at(*object, {"spec"}))
    changed["metadata"]["generation"] = json_int(changed, {"metadata", "generation"}) + 1;
  store(ref_of(kind, key), std::move(changed));
}

void ApiServer::drop(const Kind& kind, const ObjectKey& key) {
  const auto* found = stored(kind, key);
  if (!found) return;
  const Stored last = *found;
  const auto ref = ref_of(kind, key);
  auto& table = tables_[ref.plural];
  table.objects.erase(key);
  Json gone = *last;
  gone["metadata"]["resourceVersion"] = std::to_string(++version_);
  table.history.push_back({version_, clock_.now(), "DELETED", ref,
                           std::make_shared<const Json>(std::move(gone)), last});
  if (observer_) observer_(ref, *last, Json());
  collect_garbage(json_text(*last, {"metadata", "uid"}));
}

void ApiServer::add_namespace(const std::string& name) {
  const Kind kind{"", "v1", "Namespace", "namespaces"};
  (void)create(kind, "",
               Json{{"apiVersion", "v1"},
                    {"kind", "Namespace"},
                    {"metadata", {{"name", name}}},
                    {"status", {{"phase", "Active"}}}},
               false, Deadline(SteadyTime::max()));
}

Stored ApiServer::store(const ObjectRef& ref, Json object) {
  object["metadata"]["resourceVersion"] = std::to_string(++version_);
  const auto stored = std::make_shared<const Json>(std::move(object));
  auto& table = tables_[ref.plural];
  const Stored before = std::exchange(table.objects[ref.key], stored);
  table.history.push_back(
      {version_, clock_.now(), before ? "MODIFIED" : "ADDED", ref, stored, before});
  if (observer_) observer_(ref, before ? *before : Json(), *stored);
  return stored;
}

void ApiServer::collect_garbage(const std::string& owner_uid) {
  std::vector<ObjectRef> orphans;
  for (const auto& [plural, table] : tables_) {
    for (const auto& [key, object] : table.objects) {
      const Json& owners = json_at(*object, {"metadata", "ownerReferences"});
      if (owners.is_array() && !owners.empty() && json_text(owners.front(), {"uid"}) == owner_uid)
        orphans.push_back({plural, key});
    }
  }
  for (const auto& ref : orphans) drop(Kind{"", "", "", ref.plural}, ref.key);
}

}  // namespace weir::sim
