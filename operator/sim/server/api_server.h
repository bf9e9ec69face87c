// An in-memory API server with the semantics that controllers rely on: resourceVersion, uid and version preconditions, generation,
// status as a subresource, a history to watch, and garbage collection by owner.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "kube/api_client.h"

namespace weir::sim {

struct ObjectRef {
  std::string plural;
  ObjectKey key;
  auto operator<=>(const ObjectRef&) const = default;
};

// An object as it was stored at one version; history, pages and watchers share it.
using Stored = std::shared_ptr<const Json>;

struct ServerEvent {
  std::uint64_t version = 0;
  WallTime at{};
  std::string type;  // ADDED | MODIFIED | DELETED
  ObjectRef ref;
  Stored object;    // of DELETED: its last state, with the version of its end
  Stored previous;  // null for ADDED
};

// What a watcher with a selection sees of an event.
struct SeenEvent {
  std::string_view type;
  Stored object;
};

// An object that stops matching is DELETED for the watcher, one that begins to match is ADDED; nothing when it matches neither
// before nor after. A selector that cannot be parsed matches nothing.
std::optional<SeenEvent> seen_by(const ServerEvent& event, const Selection& selection);

// Lines of a watch stream.
std::string event_line(std::string_view type, const Json& object);
std::string bookmark_line(const Kind& kind, std::uint64_t version);

// What a write changed: null before a create, null after a delete.
using OnWrite = std::function<void(const ObjectRef&, const Json& before, const Json& after)>;

// Not thread-safe; ordered, so that equal seeds give equal runs. `clock` must outlive it.
class ApiServer final : public ApiClient {
 public:
  explicit ApiServer(const Clock& clock);

  Result<Json> get(const Kind& kind, const ObjectKey& key, const Deadline& deadline) override;
  Result<ListPage> list(const Kind& kind, const Selection& selection, const std::string& next,
                        const Deadline& deadline) override;
  Result<Json> create(const Kind& kind, const std::string& ns, const Json& object, bool dry_run,
                      const Deadline& deadline) override;
  Result<Json> patch(const Kind& kind, const ObjectKey& key, const Patch& patch,
                     const Deadline& deadline) override;
  Result<void> remove(const Kind& kind, const ObjectKey& key, const std::string& uid,
                      const Deadline& deadline) override;
  // Delivers what is there and ends, as a stream that the server closes; never waits.
  Result<void> watch(const WatchRequest& request, const OnLine& on_line,
                     const std::stop_token& stop) override;

  // The changes of a kind after `version`, oldest first; good until the next compact(). Gone when some of them may be
  // compacted away.
  Result<std::vector<const ServerEvent*>> since(std::uint64_t version, const Kind& kind) const;
  // Forgets the history up to and with `version`.
  void compact(std::uint64_t version);
  std::uint64_t version() const { return version_; }

  // For the world: no preconditions.
  const Json* find(const Kind& kind, const ObjectKey& key) const;
  std::vector<const Json*> all(const Kind& kind) const;
  void set_status(const Kind& kind, const ObjectKey& key, const Json& status);
  // Any change by somebody else; `change` edits the object in place.
  void edit(const Kind& kind, const ObjectKey& key, const std::function<void(Json&)>& change);
  void drop(const Kind& kind, const ObjectKey& key);
  // Objects can be created only in a namespace that exists.
  void add_namespace(const std::string& name);

  void on_write(OnWrite observer) { observer_ = std::move(observer); }

 private:
  // One kind; ordered by namespace first.
  struct Table {
    std::map<ObjectKey, Stored> objects;
    std::deque<ServerEvent> history;
  };

  const Stored* stored(const Kind& kind, const ObjectKey& key) const;
  Stored store(const ObjectRef& ref, Json object);
  void collect_garbage(const std::string& owner_uid);

  const Clock& clock_;
  std::map<std::string, Table, std::less<>> tables_;
  std::uint64_t version_ = 100;
  std::uint64_t compacted_ = 100;
  std::uint64_t uids_ = 0;
  OnWrite observer_;
};

// Equality and existence terms of a label selector ("a=b,c"), which is what we use.
bool selected(const Json& object, const std::string& labels);

}  // namespace weir::sim
