// An in-memory API server with the semantics that controllers rely on: resourceVersion, uid and version preconditions, generation,
// status as a subresource, a log of events to watch, and garbage collection by owner.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kube/api_client.h"

namespace weir::sim {

struct ObjectRef {
  std::string plural;
  ObjectKey key;
  auto operator<=>(const ObjectRef&) const = default;
};

struct ServerEvent {
  std::uint64_t version = 0;
  WallTime at{};
  std::string type;  // ADDED | MODIFIED | DELETED
  ObjectRef ref;
  Json object;
};

// What a write changed: null before a create, null after a delete.
using OnWrite = std::function<void(const ObjectRef&, const Json& before, const Json& after)>;

// Not thread-safe; ordered, so that equal seeds give equal runs.
class ApiServer final : public ApiClient {
 public:
  explicit ApiServer(const Clock& clock) : clock_(clock) {}

  Result<Json> get(const Kind& kind, const ObjectKey& key, const Deadline& deadline) override;
  Result<ListPage> list(const Kind& kind, const Selection& selection, const std::string& next,
                        const Deadline& deadline) override;
  Result<Json> create(const Kind& kind, const std::string& ns, const Json& object, bool dry_run,
                      const Deadline& deadline) override;
  Result<Json> patch(const Kind& kind, const ObjectKey& key, const Patch& patch,
                     const Deadline& deadline) override;
  Result<void> remove(const Kind& kind, const ObjectKey& key, const std::string& uid,
                      const Deadline& deadline) override;
  // Not used: the simulator reads the log and delivers events itself.
  Result<void> watch(const WatchRequest& request, const OnLine& on_line,
                     const std::stop_token& stop) override;

  // For the world: no preconditions.
  const Json* find(const Kind& kind, const ObjectKey& key) const;
  std::vector<const Json*> all(const Kind& kind) const;
  void set_status(const Kind& kind, const ObjectKey& key, const Json& status);
  // Any change by somebody else; `change` edits the object in place.
  void edit(const Kind& kind, const ObjectKey& key, const std::function<void(Json&)>& change);
  void drop(const Kind& kind, const ObjectKey& key);

  const std::vector<ServerEvent>& log() const { return log_; }
  std::uint64_t version() const { return version_; }
  void on_write(OnWrite observer) { observer_ = std::move(observer); }

 private:
  Json& store(const std::string& type, const ObjectRef& ref, Json object);
  void collect_garbage(const std::string& owner_uid);

  const Clock& clock_;
  std::map<ObjectRef, Json> objects_;
  std::vector<ServerEvent> log_;
  std::uint64_t version_ = 100;
  std::uint64_t uids_ = 0;
  OnWrite observer_;
};

// Equality and existence terms of a label selector ("a=b,c"), which is what we use.
bool selected(const Json& object, const std::string& labels);

}  // namespace weir::sim
