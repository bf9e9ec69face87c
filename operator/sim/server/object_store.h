// What is stored, in which versions, and who belongs to whom. Knows no rules.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "kube/object.h"
#include "sim/server/managers.h"

namespace weir::sim {

struct ObjectRef {
  std::string plural;
  ObjectKey key;
  auto operator<=>(const ObjectRef&) const = default;
};

// An object as it was stored at one version; history, pages and watchers share it. Without managedFields, which stand apart.
using Stored = std::shared_ptr<const Json>;

struct Entry {
  Stored object;
  std::shared_ptr<const Managers> managers;
};

struct ServerEvent {
  std::uint64_t version = 0;
  WallTime at{};
  std::string type;  // ADDED | MODIFIED | DELETED
  ObjectRef ref;
  Stored object;    // of DELETED: its last state, with the version of its end
  Stored previous;  // null for ADDED
  std::shared_ptr<const Managers> managers{};
};

// What a write changed: null before a create, null after a delete.
using OnWrite = std::function<void(const ObjectRef&, const Json& before, const Json& after)>;

// Not thread-safe; ordered, so that equal seeds give equal runs. `clock` must outlive it.
class ObjectStore {
 public:
  using Objects = std::map<ObjectKey, Entry>;  // by namespace first

  explicit ObjectStore(const Clock& clock) : clock_(clock) {}

  const Entry* find(const ObjectRef& ref) const;
  const Objects& objects(std::string_view plural) const;
  const std::deque<ServerEvent>& history(std::string_view plural) const;

  // Gives the object its resourceVersion. The observer runs before it returns.
  Entry put(const ObjectRef& ref, Json object, std::shared_ptr<const Managers> managers);
  void erase(const ObjectRef& ref);
  // Says anew who owns the fields of an object that was written just now; no new version.
  Entry own(const ObjectRef& ref, std::shared_ptr<const Managers> managers);

  std::uint64_t version() const { return version_; }
  std::uint64_t compacted() const { return compacted_; }  // history up to here is forgotten
  void compact(std::uint64_t version);

  // Objects that name the uid as an owner, in order.
  std::vector<ObjectRef> dependents(const std::string& uid) const;
  bool exists(const std::string& uid) const { return uids_.count(uid) != 0; }
  const ObjectRef* find_uid(const std::string& uid) const;

  void on_write(OnWrite observer) { observer_ = std::move(observer); }

 private:
  struct Table {
    Objects objects;
    std::deque<ServerEvent> history;
  };

  const Table& table(std::string_view plural) const;
  void index(const ObjectRef& ref, const Json& object, bool add);

  const Clock& clock_;
  std::map<std::string, Table, std::less<>> tables_;
  std::map<std::string, std::set<ObjectRef>> by_owner_;
  std::map<std::string, ObjectRef> uids_;
  // As on a real server, the first objects do not begin at 1.
  std::uint64_t version_ = 100;
  std::uint64_t compacted_ = 100;
  OnWrite observer_;
};

// The uids that an object names in metadata.ownerReferences.
std::vector<std::string> owner_uids(const Json& object);

}  // namespace weir::sim
