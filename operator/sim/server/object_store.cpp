#include "sim/server/object_store.h"

namespace weir::sim {
namespace {

const Json kNothing;

}  // namespace

std::vector<std::string> owner_uids(const Json& object) {
  std::vector<std::string> uids;
  const Json& owners = json_at(object, {"metadata", "ownerReferences"});
  if (owners.is_array()) {
    for (const auto& owner : owners) uids.push_back(json_text(owner, {"uid"}));
  }
  return uids;
}

const ObjectStore::Table& ObjectStore::table(std::string_view plural) const {
  static const Table empty;
  const auto found = tables_.find(plural);
  return found == tables_.end() ? empty : found->second;
}

const ObjectStore::Objects& ObjectStore::objects(std::string_view plural) const {
  return table(plural).objects;
}

const std::deque<ServerEvent>& ObjectStore::history(std::string_view plural) const {
  return table(plural).history;
}

const Entry* ObjectStore::find(const ObjectRef& ref) const {
  const auto& all = table(ref.plural).objects;
  const auto found = all.find(ref.key);
  return found == all.end() ? nullptr : &found->second;
}

void ObjectStore::index(const ObjectRef& ref, const Json& object, bool add) {
  for (const auto& uid : owner_uids(object)) {
    if (add) {
      by_owner_[uid].insert(ref);
      continue;
    }
    const auto found = by_owner_.find(uid);
    if (found == by_owner_.end()) continue;
    found->second.erase(ref);
    if (found->second.empty()) by_owner_.erase(found);
  }
}

Entry ObjectStore::put(const ObjectRef& ref, Json object,
                       std::shared_ptr<const Managers> managers) {
  object["metadata"]["resourceVersion"] = std::to_string(++version_);
  auto& table = tables_[ref.plural];
  auto& slot = table.objects[ref.key];
  const Stored before = slot.object;
  slot = {std::make_shared<const Json>(std::move(object)), std::move(managers)};
  Entry after = slot;
  const bool moved = !before || json_at(*before, {"metadata", "ownerReferences"}) !=
                                    json_at(*after.object, {"metadata", "ownerReferences"});
  if (moved && before) index(ref, *before, false);
  if (moved) index(ref, *after.object, true);
  if (!before) uids_[json_text(*after.object, {"metadata", "uid"})] = ref;
  table.history.push_back({version_, clock_.now(), before ? "MODIFIED" : "ADDED", ref, after.object,
                           before, after.managers});
  if (observer_) observer_(ref, before ? *before : kNothing, *after.object);
  return after;
}

void ObjectStore::erase(const ObjectRef& ref) {
  auto& table = tables_[ref.plural];
  const auto found = table.objects.find(ref.key);
  if (found == table.objects.end()) return;
  const ObjectRef gone = ref;  // it may be a part of what goes
  const Entry last = found->second;
  table.objects.erase(found);
  index(gone, *last.object, false);
  uids_.erase(json_text(*last.object, {"metadata", "uid"}));
  Json end = *last.object;
  end["metadata"]["resourceVersion"] = std::to_string(++version_);
  table.history.push_back({version_, clock_.now(), "DELETED", gone,
                           std::make_shared<const Json>(std::move(end)), last.object,
                           last.managers});
  if (observer_) observer_(gone, *last.object, kNothing);
}

Entry ObjectStore::own(const ObjectRef& ref, std::shared_ptr<const Managers> managers) {
  auto& table = tables_[ref.plural];
  const auto found = table.objects.find(ref.key);
  if (found == table.objects.end()) return {};
  found->second.managers = managers;
  if (!table.history.empty() && table.history.back().ref == ref)
    table.history.back().managers = std::move(managers);
  return found->second;
}

void ObjectStore::compact(std::uint64_t version) {
  compacted_ = std::max(compacted_, std::min(version, version_));
  for (auto& [plural, table] : tables_) {
    while (!table.history.empty() && table.history.front().version <= compacted_)
      table.history.pop_front();
  }
}

std::vector<ObjectRef> ObjectStore::dependents(const std::string& uid) const {
  const auto found = by_owner_.find(uid);
  if (found == by_owner_.end()) return {};
  return {found->second.begin(), found->second.end()};
}

const ObjectRef* ObjectStore::find_uid(const std::string& uid) const {
  const auto found = uids_.find(uid);
  return found == uids_.end() ? nullptr : &found->second;
}

}  // namespace weir::sim
