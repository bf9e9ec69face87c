#include "sim/api_server.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/time_format.h"

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

Result<Json> ApiServer::get(const Kind& kind, const ObjectKey& key, const Deadline& /*deadline*/) {
  const Json* object = find(kind, key);
  if (!object) return not_found(kind, key);
  return *object;
}

Result<ListPage> ApiServer::list(const Kind& kind, const Selection& selection,
                                 const std::string& /*next*/, const Deadline& /*deadline*/) {
  ListPage page;
  for (const auto* object : all(kind)) {
    if (selected(*object, selection.labels)) page.items.push_back(*object);
  }
  page.resource_version = std::to_string(version_);
  return page;
}

Result<Json> ApiServer::create(const Kind& kind, const std::string& ns, const Json& object,
                               bool dry_run, const Deadline& /*deadline*/) {
  const ObjectKey key{ns, json_text(object, {"metadata", "name"})};
  const auto ref = ref_of(kind, key);
  if (objects_.count(ref) != 0)
    return Error{ErrorKind::AlreadyExists,
                 fmt::format("{} \"{}\" already exists", kind.plural, key.name)};
  if (dry_run) return object;
  Json created = object;
  created["metadata"]["uid"] = fmt::format("uid-{}", ++uids_);
  created["metadata"]["generation"] = 1;
  created["metadata"]["creationTimestamp"] = format_time(clock_.now());
  return store("ADDED", ref, std::move(created));
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
  return store("MODIFIED", ref_of(kind, key), std::move(changed));
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

Result<void> ApiServer::watch(const WatchRequest& /*request*/, const OnLine& /*on_line*/,
                              const std::stop_token& /*stop*/) {
  return Error{ErrorKind::Internal, "the simulator delivers events itself"};
}

const Json* ApiServer::find(const Kind& kind, const ObjectKey& key) const {
  const auto found = objects_.find(ref_of(kind, key));
  return found == objects_.end() ? nullptr : &found->second;
}

std::vector<const Json*> ApiServer::all(const Kind& kind) const {
  std::vector<const Json*> result;
  for (const auto& [ref, object] : objects_) {
    if (ref.plural == kind.plural) result.push_back(&object);
  }
  return result;
}

void ApiServer::set_status(const Kind& kind, const ObjectKey& key, const Json& status) {
  const auto found = objects_.find(ref_of(kind, key));
  if (found == objects_.end() || json_at(found->second, {"status"}) == status) return;
  Json changed = found->second;
  changed["status"] = status;
  store("MODIFIED", found->first, std::move(changed));
}

void ApiServer::edit(const Kind& kind, const ObjectKey& key,
                     const std::function<void(Json&)>& change) {
  const auto found = objects_.find(ref_of(kind, key));
  if (found == objects_.end()) return;
  Json changed = found->second;
  change(changed);
  if (changed == found->second) return;
  if (json_at(changed, {"spec"}) != json_at(found->second, {"spec"}))
    changed["metadata"]["generation"] = json_int(changed, {"metadata", "generation"}) + 1;
  store("MODIFIED", found->first, std::move(changed));
}

void ApiServer::drop(const Kind& kind, const ObjectKey& key) {
  const auto found = objects_.find(ref_of(kind, key));
  if (found == objects_.end()) return;
  Json gone = found->second;
  const auto ref = found->first;
  objects_.erase(found);
  gone["metadata"]["resourceVersion"] = std::to_string(++version_);
  log_.push_back({version_, clock_.now(), "DELETED", ref, gone});
  if (observer_) observer_(ref, gone, Json());
  collect_garbage(json_text(gone, {"metadata", "uid"}));
}

Json& ApiServer::store(const std::string& type, const ObjectRef& ref, Json object) {
  object["metadata"]["resourceVersion"] = std::to_string(++version_);
  Json& slot = objects_[ref];
  const Json before = std::exchange(slot, std::move(object));
  log_.push_back({version_, clock_.now(), type, ref, slot});
  if (observer_) observer_(ref, before, slot);
  return objects_[ref];
}

void ApiServer::collect_garbage(const std::string& owner_uid) {
  std::vector<ObjectRef> orphans;
  for (const auto& [ref, object] : objects_) {
    const Json& owners = json_at(object, {"metadata", "ownerReferences"});
    if (owners.is_array() && !owners.empty() && json_text(owners.front(), {"uid"}) == owner_uid)
      orphans.push_back(ref);
  }
  for (const auto& ref : orphans) {
    const Kind kind{"", "", "", ref.plural};
    drop(kind, ref.key);
  }
}

}  // namespace weir::sim
