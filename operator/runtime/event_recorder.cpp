#include "runtime/event_recorder.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/time_format.h"
#include "kube/kinds.h"

namespace weir {
namespace {

constexpr std::size_t kMaxMessage = 1024;     // bytes, as the API allows
constexpr std::size_t kMaxRemembered = 4096;  // sayings, and as many objects
constexpr milliseconds kSameFor{600'000};
constexpr double kBurst = 25;  // Events of one object
constexpr double kPerSecond = 1.0 / 300;

// core/v1 Event; the name carries the time, as client-go's recorder does.
Json event_body(const RecordEvent& event, const std::string& name, WallTime now) {
  const auto stamp = format_time(now);
  return Json{{"apiVersion", "v1"},
              {"kind", "Event"},
              {"metadata", {{"name", name}, {"namespace", event.key.ns}}},
              {"involvedObject",
               {{"apiVersion", event.kind.api_version()},
                {"kind", event.kind.name},
                {"namespace", event.key.ns},
                {"name", event.key.name},
                {"uid", event.uid}}},
              {"type", event.warning ? "Warning" : "Normal"},
              {"reason", event.reason},
              {"message", event.message.substr(0, kMaxMessage)},
              {"source", {{"component", "weir"}}},
              {"reportingComponent", "weir.dev/operator"},
              {"firstTimestamp", stamp},
              {"lastTimestamp", stamp},
              {"count", 1}};
}

}  // namespace

bool EventRecorder::may_talk(const std::string& uid, WallTime now) {
  const auto [found, fresh] = allowances_.try_emplace(uid, Allowance{kBurst, now});
  auto& allowance = found->second;
  const std::chrono::duration<double> passed = now - allowance.at;
  allowance = {std::min(kBurst, allowance.events + std::max(0.0, passed.count()) * kPerSecond),
               now};
  if (allowance.events < 1) return false;
  allowance.events -= 1;
  return true;
}

// What is too old to matter; all of it when that is not enough: things are said once more then.
void EventRecorder::forget(WallTime now) {
  if (said_.size() >= kMaxRemembered)
    std::erase_if(said_, [&](const auto& item) { return now - item.second.last > kSameFor; });
  if (said_.size() >= kMaxRemembered) said_.clear();
  if (allowances_.size() >= kMaxRemembered) allowances_.clear();
}

Result<void> EventRecorder::count_again(const RecordEvent& event, const Said& said,
                                        const Deadline& deadline) {
  const Json body{{"count", said.count}, {"lastTimestamp", format_time(said.last)}};
  const auto patched = api_.patch(kinds::kEvent, {event.key.ns, said.name},
                                  {Patch::Type::JsonMerge, dump_json(body)}, deadline);
  if (!patched) return patched.error();
  return {};
}

Result<std::string_view> EventRecorder::record(const RecordEvent& event, const Deadline& deadline) {
  const auto now = clock_.now();
  const Saying saying{event.uid, event.reason, event.message};
  std::optional<Said> again;
  std::string name;
  {
    Lock lock(mutex_);
    if (!may_talk(event.uid, now)) return std::string_view();
    forget(now);
    const auto found = said_.find(saying);
    if (found != said_.end() && now - found->second.last <= kSameFor) {
      ++found->second.count;
      found->second.last = now;
      again = found->second;
    }
    name = fmt::format("{}.{:x}.{:x}", event.key.name, now.time_since_epoch().count(), number_++);
  }
  if (again) {
    const auto counted = count_again(event, *again, deadline);
    if (counted) return std::string_view("patch");
    if (counted.error().kind != ErrorKind::NotFound) return counted.error();
  }
  const auto created =
      api_.create(kinds::kEvent, event.key.ns, event_body(event, name, now), false, deadline);
  if (!created) return created.error();
  Lock lock(mutex_);
  said_[saying] = {name, 1, now};
  return std::string_view("create");
}

}  // namespace weir
