#include "cli/releases.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <ostream>

#include "api/codec.h"
#include "base/wait.h"
#include "kube/kinds.h"
#include "kube/status_error.h"

namespace weir {
namespace {

constexpr milliseconds kFirstPause{500};
constexpr milliseconds kLongestPause{15'000};

Error no_release(const Session& session, const std::string& name) {
  const auto where = session.ns.empty() ? "any namespace" : "namespace " + session.ns;
  return Error{ErrorKind::NotFound, fmt::format("no release \"{}\" in {}", name, where)};
}

bool may_come_back(const Error& error) {
  return error.kind == ErrorKind::Unavailable || error.kind == ErrorKind::Timeout ||
         error.kind == ErrorKind::Throttled || error.kind == ErrorKind::Gone;
}

class Follower {
 public:
  Follower(Session& session, const std::string& name, std::ostream& err,
           const std::stop_token& stop, const std::function<bool(const SeenRelease&)>& on_change)
      : session_(session), name_(name), err_(err), stop_(stop), on_change_(on_change) {}

  Result<void> run() {
    milliseconds pause = kFirstPause;
    while (wanted_) {
      auto how = look();
      if (stop_.stop_requested()) return Error{ErrorKind::Shutdown, "stopped"};
      if (how) {
        pause = kFirstPause;
        continue;
      }
      if (!listed_ || !may_come_back(how.error())) return how;
      if (how.error().kind != ErrorKind::Gone)
        err_ << fmt::format("{}; trying again\n", how.error().message);
      wait_until(session_.clock.monotonic() + pause, stop_);
      pause = std::min(pause * 2, kLongestPause);
    }
    return {};
  }

 private:
  // One listing and one watch from there on.
  Result<void> look() {
    ASSIGN_OR_RETURN(const auto list, list_releases(session_, name_));
    listed_ = true;
    tell_list(list);
    if (!wanted_) return {};
    std::optional<Error> ended;
    auto how = session_.api->watch(
        {kinds::kRelease, {session_.ns, ""}, list.resource_version},
        [&](std::string_view line) { return on_line(line, ended); }, stop_);
    if (ended) return *std::move(ended);
    return how;
  }

  void tell_list(const ReleaseList& list) {
    auto missing = std::move(known_);
    known_.clear();
    for (const auto& seen : list.releases) {
      missing.erase(seen.release.meta.key);
      tell(seen);
    }
    for (const auto& [key, release] : missing) tell({release, Json(), true});
  }

  bool on_line(std::string_view line, std::optional<Error>& ended) {
    const auto event = parse_json(line);
    const auto type = event ? json_text(*event, {"type"}) : "";
    const Json object = event ? json_at(*event, {"object"}) : Json();
    if (type == "ERROR") ended = status_error(object);
    if (type.empty() || ended) return false;
    auto release = decode_release(object);
    if (type == "BOOKMARK" || !release) return true;
    const bool gone = type == "DELETED";
    if (gone && release->meta.key.name == name_) ended = no_release(session_, name_);
    if (!ended) tell({*std::move(release), object, gone});
    return wanted_ && !ended;
  }

  void tell(const SeenRelease& seen) {
    const auto& key = seen.release.meta.key;
    if (!wanted_ || (!name_.empty() && key.name != name_)) return;
    if (seen.gone)
      known_.erase(key);
    else
      known_.insert_or_assign(key, seen.release);
    wanted_ = on_change_(seen);
  }

  Session& session_;
  const std::string& name_;
  std::ostream& err_;
  const std::stop_token& stop_;
  const std::function<bool(const SeenRelease&)>& on_change_;
  std::map<ObjectKey, Release> known_{};
  bool listed_ = false;
  bool wanted_ = true;
};

}  // namespace

Result<ReleaseList> list_releases(Session& session, const std::string& name) {
  ReleaseList list;
  std::string next;
  do {
    auto page = session.api->list(kinds::kRelease, {session.ns, ""}, next, session.deadline());
    if (!page && page.error().kind == ErrorKind::NotFound)
      return Error{ErrorKind::NotFound,
                   "this cluster knows no releases.weir.dev: is Weir installed?"};
    if (!page) return std::move(page).error();
    for (auto& item : page->items) {
      // A list's items come without.
      item["apiVersion"] = kinds::kRelease.api_version();
      item["kind"] = std::string(kinds::kRelease.name);
      ASSIGN_OR_RETURN(auto release, decode_release(item));
      if (name.empty() || release.meta.key.name == name)
        list.releases.push_back({std::move(release), std::move(item)});
    }
    next = page->next;
    list.resource_version = page->resource_version;
  } while (!next.empty());
  if (!name.empty() && list.releases.empty()) return no_release(session, name);
  return list;
}

Result<Release> get_release(Session& session, const std::string& name) {
  const auto object = session.api->get(kinds::kRelease, {session.ns, name}, session.deadline());
  if (!object && object.error().kind == ErrorKind::NotFound)
    return Error{ErrorKind::NotFound,
                 fmt::format("no release \"{}\" in namespace {}", name, session.ns)};
  if (!object) return object.error();
  return decode_release(*object);
}

Result<void> follow_releases(Session& session, const std::string& name, std::ostream& err,
                             const std::stop_token& stop,
                             const std::function<bool(const SeenRelease&)>& on_change) {
  return Follower(session, name, err, stop, on_change).run();
}

}  // namespace weir
