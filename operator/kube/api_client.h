// The Kubernetes API as Weir uses it (https://kubernetes.io/docs/reference/using-api/api-concepts/).
// Implementations: HttpApiClient (http_api_client.h), the simulator's in-memory server, decorators that inject faults.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/json.h"
#include "base/result.h"
#include "kube/object.h"

namespace weir {

inline constexpr int kListPageSize = 100;  // objects; bounds the tree held while a page is decoded

struct ListPage {
  std::vector<Json> items{};
  std::string resource_version{};
  std::string next{};  // continue token; "" = last page
};

struct WatchRequest {
  Kind kind{};
  Selection selection{};
  std::string resource_version{};
  seconds timeout{290};  // asked of the server; a silent connection is given up 15 s later
};

// Thread-safe. Deadlines bound the whole call. Objects are JSON trees as the server sent them, without managedFields.
// Errors: see ErrorKind; a Kubernetes Status becomes its kind by reason and code, with its message. Reads are retried (twice)
// on Unavailable; writes never, because their outcome is unknown.
class ApiClient {
 public:
  using OnLine =
      std::function<bool(std::string_view)>;  // one watch event as JSON text; false ends the watch

  virtual ~ApiClient() = default;

  virtual Result<Json> get(const Kind& kind, const ObjectKey& key, const Deadline& deadline) = 0;

  // `next` is the continue token of the page before, "" for the first. Gone when the token has expired.
  virtual Result<ListPage> list(const Kind& kind, const Selection& selection,
                                const std::string& next, const Deadline& deadline) = 0;

  // AlreadyExists when the name is taken.
  virtual Result<Json> create(const Kind& kind, const std::string& ns, const Json& object,
                              bool dry_run, const Deadline& deadline) = 0;

  // Conflict when the body carries a resourceVersion (or tests one) that is no longer the object's.
  virtual Result<Json> patch(const Kind& kind, const ObjectKey& key, const Patch& patch,
                             const Deadline& deadline) = 0;

  // Background deletion with a uid precondition: Conflict when another object has taken the name.
  virtual Result<void> remove(const Kind& kind, const ObjectKey& key, const std::string& uid,
                              const Deadline& deadline) = 0;

  // Blocks for the life of one watch connection, bookmarks included. Success: the stream ended in the ordinary way (time-out
  // of the server, cut, `on_line` said false): go on from the last resourceVersion seen. Gone: list again (HTTP 410; an ERROR
  // event inside the stream is a line like any other). Shutdown: stop was requested.
  virtual Result<void> watch(const WatchRequest& request, const OnLine& on_line,
                             const std::stop_token& stop) = 0;
};

}  // namespace weir
