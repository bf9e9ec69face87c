// Deletion, and what follows from it: finalizers, garbage collection by owner, the end of namespaces. In a real cluster the
// garbage collector and the namespace controller do the last two a moment later.
#include <fmt/format.h>

#include <algorithm>

#include "base/time_format.h"
#include "sim/server/registry.h"

namespace weir::sim {
namespace {

constexpr std::string_view kForeground = "foregroundDeletion";
constexpr std::string_view kOrphan = "orphan";

bool is_ending(const Json& object) {
  return !json_at(object, {"metadata", "deletionTimestamp"}).is_null();
}

bool has_finalizer(const Json& object, std::string_view name) {
  const Json& finalizers = json_at(object, {"metadata", "finalizers"});
  return finalizers.is_array() &&
         std::find(finalizers.begin(), finalizers.end(), name) != finalizers.end();
}

bool has_any_finalizer(const Json& object) {
  const Json& finalizers = json_at(object, {"metadata", "finalizers"});
  return finalizers.is_array() && !finalizers.empty();
}

bool blocks(const Json& object, const std::string& owner_uid) {
  const Json& owners = json_at(object, {"metadata", "ownerReferences"});
  return owners.is_array() && std::any_of(owners.begin(), owners.end(), [&](const Json& owner) {
           return json_text(owner, {"uid"}) == owner_uid &&
                  json_at(owner, {"blockOwnerDeletion"}) == true;
         });
}

Json without_finalizer(Json object, std::string_view name) {
  Json& finalizers = object["metadata"]["finalizers"];
  finalizers.erase(std::remove(finalizers.begin(), finalizers.end(), name), finalizers.end());
  if (finalizers.empty()) object["metadata"].erase("finalizers");
  return object;
}

std::string uid_of(const Json& object) { return json_text(object, {"metadata", "uid"}); }

Refusal failed_precondition(const Resource& resource, const std::string& name,
                            std::string_view field, const std::string& wanted,
                            const std::string& found, std::string_view why) {
  auto refusal = conflict(
      {resource.group, resource.kind, resource.kind, name},
      fmt::format("the {} in the precondition ({}) does not match the {} in record ({}). The "
                  "object might have been {}",
                  field, wanted, field, found, why));
  return refusal;
}

}  // namespace

Answer<Entry> Registry::remove(const Resource& resource, const ObjectKey& key,
                               const DeleteOptions& options) {
  const ObjectRef ref{resource.plural, key};
  const auto* found = store_.find(ref);
  if (!found) return not_found(resource.subject(key.name));
  const Entry old = *found;
  const auto uid = uid_of(*old.object);
  if (!options.uid.empty() && options.uid != uid)
    return failed_precondition(resource, key.name, "UID", options.uid, uid,
                               "deleted and then recreated");
  const auto version = json_text(*old.object, {"metadata", "resourceVersion"});
  if (!options.resource_version.empty() && options.resource_version != version)
    return failed_precondition(resource, key.name, "ResourceVersion", options.resource_version,
                               version, "modified");
  if (options.dry_run) return Entry{};
  begin_deletion(resource, ref, options.propagation);
  const auto* left = store_.find(ref);
  if (left && uid_of(*left->object) == uid) return *left;
  return Entry{};
}

void Registry::begin_deletion(const Resource& resource, const ObjectRef& ref,
                              const Propagation& propagation) {
  const Entry old = *store_.find(ref);
  const auto uid = uid_of(*old.object);
  Json changed = *old.object;
  Json& finalizers = changed["metadata"]["finalizers"];
  const auto add = [&](std::string_view name) {
    if (!has_finalizer(changed, name)) finalizers.push_back(name);
  };
  if (propagation == Propagation::Foreground && !store_.dependents(uid).empty()) add(kForeground);
  if (propagation == Propagation::Orphan && !store_.dependents(uid).empty()) add(kOrphan);
  if (finalizers.empty()) changed["metadata"].erase("finalizers");
  const bool space = resource.plural == "namespaces";
  if (!space && !has_any_finalizer(changed)) {
    erase(ref);
    return;
  }
  if (!is_ending(changed)) {
    changed["metadata"]["deletionTimestamp"] = format_time(clock_.now());
    changed["metadata"]["deletionGracePeriodSeconds"] = 0;
    if (resource.has_generation)
      changed["metadata"]["generation"] = json_int(changed, {"metadata", "generation"}) + 1;
    if (space) {
      changed["metadata"].erase("deletionGracePeriodSeconds");
      changed["status"]["phase"] = "Terminating";
    }
  }
  Entry entry = changed == *old.object ? old : store_.put(ref, std::move(changed), old.managers);
  if (space) empty_namespace(ref.key.name);
  if (has_finalizer(*entry.object, kOrphan)) orphan_dependents(uid);
  if (has_finalizer(*entry.object, kForeground)) {
    for (const auto& dependent : store_.dependents(uid)) collect(dependent);
    finish_foreground(uid);
  }
}

// A write may have made it an orphan, or let an owner go that waited for it.
Entry Registry::put(const ObjectRef& ref, Json object, std::shared_ptr<const Managers> managers) {
  const auto* found = store_.find(ref);
  const auto before = found ? owner_uids(*found->object) : std::vector<std::string>();
  Entry entry = store_.put(ref, std::move(object), std::move(managers));
  if (!before.empty()) {
    for (const auto& uid : before) finish_foreground(uid);
  }
  follow_up(ref);
  return entry;
}

void Registry::follow_up(const ObjectRef& ref) {
  const auto* found = store_.find(ref);
  if (found && !owner_uids(*found->object).empty() && !is_ending(*found->object))
    collect_now_or_later(ref);
}

void Registry::erase(const ObjectRef& ref) {
  const auto* found = store_.find(ref);
  if (!found) return;
  const ObjectRef gone = ref;
  const Stored last = found->object;
  store_.erase(gone);
  collect_dependents(uid_of(*last));
  for (const auto& uid : owner_uids(*last)) finish_foreground(uid);
  const auto* space = store_.find({"namespaces", {"", gone.key.ns}});
  if (!gone.key.ns.empty() && space && is_ending(*space->object)) empty_namespace(gone.key.ns);
}

void Registry::force_erase(const ObjectRef& ref) { erase(ref); }

void Registry::collect_dependents(const std::string& owner_uid) {
  for (const auto& ref : store_.dependents(owner_uid)) collect_now_or_later(ref);
}

void Registry::collect_now_or_later(const ObjectRef& ref) {
  if (deferred_)
    garbage_.insert(ref);
  else
    collect(ref);
}

// What goes may leave more behind; that is for the next time.
void Registry::collect_garbage() {
  for (const auto& ref : std::exchange(garbage_, {})) collect(ref);
}

// Deletes an object whose owners are all gone or going in the foreground; forgets those when one is left.
void Registry::collect(const ObjectRef& ref) {
  const auto* found = store_.find(ref);
  const auto* resource = find_resource(ref.plural);
  if (!found || !resource) return;
  const auto owners = owner_uids(*found->object);
  std::vector<std::string> gone;
  std::vector<std::string> going;
  bool has_solid = false;
  for (const auto& uid : owners) {
    const auto* owner = store_.find_uid(uid);
    const auto* entry = owner ? store_.find(*owner) : nullptr;
    if (!entry) {
      gone.push_back(uid);
    } else {
      const bool waits = is_ending(*entry->object) && has_finalizer(*entry->object, kForeground);
      if (waits) going.push_back(uid);
      has_solid = has_solid || !waits;
    }
  }
  if (has_solid) {
    going.insert(going.end(), gone.begin(), gone.end());
    if (!going.empty()) drop_owners(ref, going);
    return;
  }
  if (is_ending(*found->object)) return;
  const auto mine = store_.dependents(uid_of(*found->object));
  const auto uid = uid_of(*found->object);
  const bool deep = std::any_of(mine.begin(), mine.end(), [&](const ObjectRef& each) {
    return blocks(*store_.find(each)->object, uid);
  });
  begin_deletion(*resource, ref,
                 deep && gone.empty() ? Propagation::Foreground : Propagation::Background);
}

void Registry::finish_foreground(const std::string& owner_uid) {
  const auto* owner = store_.find_uid(owner_uid);
  const auto* entry = owner ? store_.find(*owner) : nullptr;
  if (!entry || !is_ending(*entry->object) || !has_finalizer(*entry->object, kForeground)) return;
  for (const auto& ref : store_.dependents(owner_uid)) {
    if (blocks(*store_.find(ref)->object, owner_uid)) return;
  }
  const ObjectRef ref = *owner;
  Json left = without_finalizer(*entry->object, kForeground);
  const bool over = !has_any_finalizer(left);
  store_.put(ref, std::move(left), entry->managers);
  if (over) erase(ref);
}

void Registry::orphan_dependents(const std::string& owner_uid) {
  for (const auto& ref : store_.dependents(owner_uid)) drop_owners(ref, {owner_uid});
  const auto* owner = store_.find_uid(owner_uid);
  if (!owner) return;
  const ObjectRef ref = *owner;
  const Entry entry = *store_.find(ref);
  Json left = without_finalizer(*entry.object, kOrphan);
  const bool over = !has_any_finalizer(left);
  store_.put(ref, std::move(left), entry.managers);
  if (over) erase(ref);
}

void Registry::drop_owners(const ObjectRef& ref, const std::vector<std::string>& uids) {
  const Entry entry = *store_.find(ref);
  Json changed = *entry.object;
  Json& owners = changed["metadata"]["ownerReferences"];
  owners.erase(std::remove_if(owners.begin(), owners.end(),
                              [&](const Json& owner) {
                                return std::find(uids.begin(), uids.end(),
                                                 json_text(owner, {"uid"})) != uids.end();
                              }),
               owners.end());
  if (owners.empty()) changed["metadata"].erase("ownerReferences");
  store_.put(ref, std::move(changed), entry.managers);
}

void Registry::empty_namespace(const std::string& name) {
  bool left = false;
  for (const auto& resource : resources()) {
    if (!resource.namespaced) continue;
    std::vector<ObjectRef> refs;
    const auto& objects = store_.objects(resource.plural);
    for (auto at = objects.lower_bound({name, ""}); at != objects.end() && at->first.ns == name;
         ++at)
      refs.push_back({resource.plural, at->first});
    for (const auto& ref : refs) {
      const auto* entry = store_.find(ref);
      if (entry && !is_ending(*entry->object))
        begin_deletion(resource, ref, Propagation::Background);
      left = left || store_.find(ref);
    }
  }
  const ObjectRef space{"namespaces", {"", name}};
  const auto* entry = store_.find(space);
  if (!left && entry && !has_any_finalizer(*entry->object)) erase(space);
}

}  // namespace weir::sim
