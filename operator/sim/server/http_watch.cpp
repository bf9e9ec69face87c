// Watches over HTTP: each is a thread of the HTTP server that waits for changes.
#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "runtime/resource_version.h"
#include "sim/server/http_front.h"
#include "sim/server/table.h"

namespace weir::sim {
namespace {

constexpr seconds kLongestWatch{1800};
constexpr milliseconds kLookAround{500};  // for a reader that has gone
constexpr seconds kBookmarkEvery{60};

Kind kind_of(const Resource& resource) {
  return {resource.group, resource.version, resource.kind, resource.plural};
}

}  // namespace

struct HttpFront::Line {
  std::string_view type;
  Stored object;
  std::shared_ptr<const Managers> managers{};
};

struct HttpFront::Watch {
  Target target;
  ListQuery query;
  View view = View::Plain;
  bool bookmarks = false;
  bool from_now = false;        // begins with what is there
  bool tell_beginning = false;  // marks the end of that with a bookmark
  std::uint64_t position = 0;
  SteadyTime ends{};
  SteadyTime next_bookmark{};
  bool columns = true;  // of a table: not yet sent
  std::deque<Line> initial{};
  std::string last_line{};
};

HttpReply HttpFront::watch(const Target& target, const ServedRequest& request) {
  const auto query = list_query(request, target);
  if (!query) return reply_of(query.error());
  const auto watch = std::make_shared<Watch>(Watch{target, *query, view_of(request)});
  watch->bookmarks = query_flag(request, "allowWatchBookmarks");
  watch->tell_beginning = query_flag(request, "sendInitialEvents");
  watch->from_now = watch->tell_beginning || query->at == 0;
  watch->position = query->at;
  const auto asked = parse_resource_version(query_value(request, "timeoutSeconds"));
  const auto span = asked == 0 ? kLongestWatch
                               : std::min(seconds(static_cast<std::int64_t>(asked)), kLongestWatch);
  watch->ends = machine_.monotonic() + span;
  watch->next_bookmark = machine_.monotonic() + kBookmarkEvery;
  if (watch->from_now) begin(*watch);
  // httplib compresses plain "application/json" for whom asks, and never flushes: lines would come when the stream ends.
  HttpReply reply{200, "application/json;stream=watch"};
  reply.stream = [this, watch](const HttpSink& sink, const std::stop_token& stop) {
    stream(*watch, sink, stop);
  };
  return reply;
}

void HttpFront::begin(Watch& watch) {
  ListQuery all = watch.query;
  all.at = 0;
  all.limit = 0;
  const auto page = server_.registry().list(*watch.target.resource, all);
  if (!page) return;
  for (const auto& entry : page->entries)
    watch.initial.push_back({"ADDED", entry.object, entry.managers});
  watch.position = page->version;
}

// Waits until there is something to say, or somebody to look around.
std::vector<HttpFront::Line> HttpFront::next_lines(Watch& watch, const std::stop_token& stop) {
  std::vector<Line> lines;
  Lock lock(mutex_);
  if (watch.position >= server_.version()) {
    const auto until = std::min(watch.ends, machine_.monotonic() + kLookAround);
    changed_.wait_until(lock, stop, until, [&]() WEIR_ATTRIBUTE(no_thread_safety_analysis) {
      return watch.position < server_.version();
    });
  }
  const auto events = server_.since(watch.position, kind_of(*watch.target.resource));
  if (!events) {
    lines.push_back(
        {"ERROR", std::make_shared<const Json>(status_json(expired(events.error().message)))});
    return lines;
  }
  for (const auto* event : *events) {
    if (!watch.target.ns.empty() && event->ref.key.ns != watch.target.ns) continue;
    const auto seen = seen_where(*event, [&](const Json& object) {
      return watch.query.labels.matches(object) && watch.query.fields.matches(object);
    });
    if (seen) lines.push_back({seen->type, seen->object, event->managers});
  }
  watch.position = std::max(watch.position, server_.version());
  return lines;
}

std::string HttpFront::render(Watch& watch, const Line& line) const {
  if (line.type == "ERROR" || watch.view == View::Plain)
    return event_line(line.type, http_object(*line.object, line.managers.get())) + "\n";
  const auto& resource = *watch.target.resource;
  Json shown;
  if (watch.view == View::Table) {
    shown =
        table_of(resource, {line.object.get()}, std::exchange(watch.columns, false), clock_.now());
    shown["metadata"]["resourceVersion"] = json_at(*line.object, {"metadata", "resourceVersion"});
  } else {
    shown = Json{{"kind", "PartialObjectMetadata"},
                 {"apiVersion", "meta.k8s.io/v1"},
                 {"metadata", json_at(*line.object, {"metadata"})}};
  }
  return event_line(line.type, shown) + "\n";
}

std::string HttpFront::bookmark(const Watch& watch, std::uint64_t version, bool initial_end) const {
  const auto& resource = *watch.target.resource;
  Json object{{"kind", resource.kind},
              {"apiVersion", resource.api_version()},
              {"metadata", {{"resourceVersion", std::to_string(version)}}}};
  if (initial_end) object["metadata"]["annotations"]["k8s.io/initial-events-end"] = "true";
  if (watch.view == View::Table) {
    Json table = table_of(resource, {}, false, clock_.now());
    table["metadata"] = object["metadata"];
    object = std::move(table);
  }
  return event_line("BOOKMARK", object) + "\n";
}

void HttpFront::stream(Watch& watch, const HttpSink& sink, const std::stop_token& stop) {
  for (const auto& line : watch.initial) {
    if (!sink.write(render(watch, line))) return;
  }
  watch.initial.clear();
  if (watch.tell_beginning && !sink.write(bookmark(watch, watch.position, true))) return;
  while (!stop.stop_requested() && machine_.monotonic() < watch.ends) {
    for (const auto& line : next_lines(watch, stop)) {
      if (!sink.write(render(watch, line)) || line.type == "ERROR") return;
    }
    if (!sink.is_open()) return;
    if (!watch.bookmarks || machine_.monotonic() < watch.next_bookmark) continue;
    watch.next_bookmark = machine_.monotonic() + kBookmarkEvery;
    if (!sink.write(bookmark(watch, watch.position, false))) return;
  }
  // So that the next watch does not begin further back than needed.
  if (watch.bookmarks && !stop.stop_requested())
    (void)sink.write(bookmark(watch, watch.position, false));
}

}  // namespace weir::sim
