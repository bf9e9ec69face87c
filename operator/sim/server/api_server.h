// An in-memory API server with the semantics that controllers rely on (operator/designs/006-in-memory-api-server.md), as the
// operator's ApiClient and for the world around it. HTTP is in http_front.h.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "kube/api_client.h"
#include "sim/server/registry.h"

namespace weir::sim {

// What a watcher with a selection sees of an event.
struct SeenEvent {
  std::string_view type;
  Stored object;
};

// An object that stops matching is DELETED for the watcher, one that begins to match is ADDED; nothing when it matches neither
// before nor after. A selector that cannot be parsed matches nothing.
std::optional<SeenEvent> seen_by(const ServerEvent& event, const Selection& selection);
// The same with any rule of what matches.
std::optional<SeenEvent> seen_where(const ServerEvent& event,
                                    const std::function<bool(const Json&)>& matches);

// Lines of a watch stream.
std::string event_line(std::string_view type, const Json& object);
std::string bookmark_line(const Kind& kind, std::uint64_t version);

// Not thread-safe; ordered, so that equal seeds give equal runs. `clock` must outlive it.
// As ApiClient it writes under the field manager "weir", and applies by force.
class ApiServer final : public ApiClient {
 public:
  explicit ApiServer(const Clock& clock) : registry_(clock) {}

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
  void compact(std::uint64_t version) { registry_.store().compact(version); }
  std::uint64_t version() const { return registry_.store().version(); }

  // For the world: no preconditions, and nothing is checked. What `all` gives stays as it was, whatever is written meanwhile.
  using Held = std::shared_ptr<const Json>;
  const Json* find(const Kind& kind, const ObjectKey& key) const;
  std::vector<Held> all(const Kind& kind) const;
  void set_status(const Kind& kind, const ObjectKey& key, const Json& status);
  // Any change by somebody else; `change` edits the object in place.
  void edit(const Kind& kind, const ObjectKey& key, const std::function<void(Json&)>& change);
  // At once, whatever its finalizers say.
  void drop(const Kind& kind, const ObjectKey& key);
  // Objects can be created only in a namespace that exists.
  void add_namespace(const std::string& name);

  void on_write(OnWrite observer) { registry_.store().on_write(std::move(observer)); }

  Registry& registry() { return registry_; }

 private:
  Registry registry_;
};

}  // namespace weir::sim
