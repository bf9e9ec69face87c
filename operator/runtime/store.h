// A typed cache of one kind, fed by a watch and by the answers to our own writes.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "kube/object.h"
#include "runtime/resource_version.h"

namespace weir {

// Entries are immutable and shared; readers keep what they got. T has `meta` with key, uid and resource_version.
//
// Read-your-writes: `put_own` takes the object that a write of ours returned, so that a stale cache cannot repeat an action. It
// stays until the watch delivers that version or a newer one. resourceVersions are compared as numbers, which Kubernetes
// guarantees since 1.35 (KEP-5504) and etcd-backed servers have always done.
//
// Thread-safe. One writer feeds the watch side.
template <typename T>
class Store {
 public:
  using Entry = std::shared_ptr<const T>;
  // Which groups an object belongs to, for `in_group`; for instance the key of its owner.
  using GroupOf = std::function<std::string(const T&)>;

  explicit Store(GroupOf group_of = nullptr) : group_of_(std::move(group_of)) {}

  Entry find(const ObjectKey& key) const {
    Lock lock(mutex_);
    const auto found = entries_.find(key);
    return found == entries_.end() ? nullptr : found->second;
  }

  std::vector<Entry> in_group(const std::string& group) const {
    Lock lock(mutex_);
    std::vector<Entry> result;
    const auto found = groups_.find(group);
    if (found == groups_.end()) return result;
    for (const auto& [key, entry] : found->second) result.push_back(entry);
    return result;
  }

  std::vector<Entry> all() const {
    Lock lock(mutex_);
    std::vector<Entry> result;
    result.reserve(entries_.size());
    for (const auto& [key, entry] : entries_) result.push_back(entry);
    return result;
  }

  std::size_t size() const {
    Lock lock(mutex_);
    return entries_.size();
  }

  // From the watch. Returns what stood there before. An older version than the one held (our own write) is not taken.
  Entry put(Entry entry) {
    Lock lock(mutex_);
    const auto version = parse_resource_version(entry->meta.resource_version);
    watch_version_ = std::max(watch_version_, version);
    return replace(std::move(entry), version);
  }

  // From the answer to a write of ours. Ignored when the watch is already past it: it may since have been deleted.
  Entry put_own(Entry entry) {
    Lock lock(mutex_);
    const auto version = parse_resource_version(entry->meta.resource_version);
    if (version <= watch_version_) return nullptr;
    return replace(std::move(entry), version);
  }

  // From the watch: deleted at `resource_version`. Returns what stood there before; nothing when what stands there is newer, an
  // own write that has taken the name since.
  Entry erase(const ObjectKey& key, const std::string& resource_version) {
    Lock lock(mutex_);
    const auto version = parse_resource_version(resource_version);
    watch_version_ = std::max(watch_version_, version);
    const auto found = entries_.find(key);
    if (found != entries_.end() &&
        parse_resource_version(found->second->meta.resource_version) > version)
      return nullptr;
    return remove(key);
  }

  // A whole list, as of `resource_version`. Returns the entries that are gone. Own writes newer than the list stay.
  std::vector<Entry> replace_all(std::vector<Entry> list, const std::string& resource_version) {
    Lock lock(mutex_);
    watch_version_ = std::max(watch_version_, parse_resource_version(resource_version));
    std::map<ObjectKey, Entry> listed;
    for (auto& entry : list) listed.emplace(entry->meta.key, std::move(entry));
    std::vector<Entry> gone;
    for (const auto& [key, entry] : entries_) {
      if (listed.count(key) == 0 &&
          parse_resource_version(entry->meta.resource_version) <= watch_version_)
        gone.push_back(entry);
    }
    for (const auto& entry : gone) remove(entry->meta.key);
    for (auto& [key, entry] : listed)
      replace(entry, parse_resource_version(entry->meta.resource_version));
    return gone;
  }

 private:
  Entry replace(Entry entry, std::uint64_t version) REQUIRES(mutex_) {
    const ObjectKey key = entry->meta.key;
    const auto found = entries_.find(key);
    if (found != entries_.end() &&
        parse_resource_version(found->second->meta.resource_version) > version)
      return found->second;
    Entry before = remove(key);
    if (group_of_) groups_[group_of_(*entry)].emplace(key, entry);
    entries_.emplace(key, std::move(entry));
    return before;
  }

  Entry remove(const ObjectKey& key) REQUIRES(mutex_) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return nullptr;
    Entry before = found->second;
    entries_.erase(found);
    if (group_of_) {
      const auto group = groups_.find(group_of_(*before));
      group->second.erase(key);
      if (group->second.empty()) groups_.erase(group);
    }
    return before;
  }

  GroupOf group_of_;
  mutable Mutex mutex_;
  std::map<ObjectKey, Entry> entries_ GUARDED_BY(mutex_);
  std::map<std::string, std::map<ObjectKey, Entry>> groups_ GUARDED_BY(mutex_);
  std::uint64_t watch_version_ GUARDED_BY(mutex_) = 0;
};

}  // namespace weir
