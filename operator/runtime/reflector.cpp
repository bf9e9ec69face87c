#include "runtime/reflector.h"

#include <algorithm>

#include "base/json.h"
#include "base/sim_point.h"
#include "kube/status_error.h"

namespace weir {
namespace {

constexpr milliseconds kFirstPause{250};
constexpr milliseconds kLongestPause{15'000};
// A connection that was silent for so long and then ended is no sign of trouble: a time-out, a proxy.
constexpr milliseconds kLived = kLongestPause;

}  // namespace

Reflector::Next Reflector::next(SteadyTime now) const {
  if (now < not_before_) return {Next::Do::Wait, "", not_before_};
  if (resource_version_.empty()) return {Next::Do::List, next_page_, {}};
  return {Next::Do::Watch, resource_version_, {}};
}

void Reflector::on_page(Result<ListPage> page, SteadyTime now) {
  if (!page) {
    relist();
    fail(page.error(), now);
    return;
  }
  sink_.put_page(std::move(page->items));
  next_page_ = page->next;
  if (!next_page_.empty()) return;
  resource_version_ = page->resource_version;
  sink_.replace_all(resource_version_);
  synced_ = true;
  progress_ = true;
  heard_ = now;
  // `failures_` stays: a server whose versions are always too old is listed less and less.
  last_error_.clear();
}

bool Reflector::on_line(std::string_view line, SteadyTime now) {
  const auto event = parse_json(line);
  if (event) return on_event(*event, now);
  relist();
  fail(event.error(), now);
  return false;
}

bool Reflector::on_event(const Json& event, SteadyTime now) {
  const std::string type = json_text(event, {"type"});
  const auto object = event.find("object");
  if (type.empty() || object == event.end()) {
    relist();
    fail(Error{ErrorKind::Parse, "a line of the watch is no event"}, now);
    return false;
  }
  if (type == "ERROR") {
    // Nearly always 410 Gone, which a 200 stream can only say in this way; any other error is served by a new list too.
    relist();
    fail(status_error(*object), now);
    return false;
  }
  progress_ = true;
  heard_ = now;
  failures_ = 0;
  last_error_.clear();
  apply(type, *object);
  return true;
}

void Reflector::apply(const std::string& type, const Json& object) {
  const std::string version = json_text(object, {"metadata", "resourceVersion"});
  if (version.empty()) return;
  resource_version_ = version;
  if (type == "ADDED" || type == "MODIFIED") sink_.put(object);
  if (type == "DELETED") sink_.erase(object);
}

void Reflector::on_closed(const Result<void>& how, SteadyTime now) {
  const bool progressed = std::exchange(progress_, false);
  const bool lived = now >= std::max(heard_, not_before_) + kLived;
  heard_ = now;
  if (resource_version_.empty()) return;  // ended by a line that has been counted
  if (lived) failures_ = 0;
  if (!how) {
    if (how.error().kind == ErrorKind::Gone) relist();
    fail(how.error(), now);
  } else if (!progressed && !lived) {
    // A server that accepts and closes at once must not be asked in a hot loop.
    fail(Error{ErrorKind::Unavailable, "the watch ended without an event"}, now);
  }
}

void Reflector::refresh() {
  relist();
  synced_ = false;
}

void Reflector::relist() {
  if (synced_) reached(SimPoint::Relisted);
  resource_version_.clear();
  next_page_.clear();
  sink_.drop_pages();
}

void Reflector::fail(const Error& error, SteadyTime now) {
  last_error_ = to_string(error);
  const auto longest = std::min(kLongestPause, kFirstPause * (1 << std::min(failures_, 6)));
  ++failures_;
  const auto pause = milliseconds(static_cast<std::int64_t>(static_cast<double>(longest.count()) *
                                                            (0.5 + 0.5 * random_.uniform())));
  not_before_ = std::max(now + error.retry_after.value_or(milliseconds(0)), now + pause);
}

}  // namespace weir
