// Releases of the cluster, once or for as long as one wants to look.
#pragma once

#include <functional>
#include <iosfwd>
#include <stop_token>
#include <string>
#include <vector>

#include "api/release.h"
#include "base/json.h"
#include "cli/session.h"

namespace weir {

struct SeenRelease {
  Release release;
  Json object;        // as the server has it
  bool gone = false;  // it was deleted
};

struct ReleaseList {
  std::vector<SeenRelease> releases;
  std::string resource_version;
};

// Those of the session's namespace; with a name only this one. Errors: NotFound (no such release, or no such kind), and all of
// ApiClient.
Result<ReleaseList> list_releases(Session& session, const std::string& name);

// One of the session's namespace. Errors: NotFound in words for people, and all of ApiClient.
Result<Release> get_release(Session& session, const std::string& name);

// Shows the present state, then each change, until `on_change` returns false (success) or stop is requested (Shutdown). Goes on
// after a lost connection, told to `err`; only the first listing may fail. With a name, its deletion is NotFound.
Result<void> follow_releases(Session& session, const std::string& name, std::ostream& err,
                             const std::stop_token& stop,
                             const std::function<bool(const SeenRelease&)>& on_change);

}  // namespace weir
