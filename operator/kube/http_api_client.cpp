#include "kube/http_api_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "base/mutex.h"
#include "kube/paths.h"
#include "kube/status_error.h"
#include "kube/token_bucket.h"
#include "net/line_splitter.h"

namespace weir {
namespace {

constexpr int kReadAttempts = 3;
constexpr milliseconds kRetryPause{50};  // doubled each time, plus up to as much again by chance
constexpr std::size_t kMaxLineBytes = 4U << 20U;
constexpr seconds kSilence{15};    // beyond the time-out that the server was asked for
constexpr seconds kShortWatch{1};  // a watch that ends sooner with nothing said is a failure
constexpr const char* kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

// Together more than half of a typical object, and nobody here reads them.
void drop_bulk(Json& object) {
  if (!object.is_object()) return;
  const auto metadata = object.find("metadata");
  if (metadata == object.end() || !metadata->is_object()) return;
  metadata->erase("managedFields");
  const auto annotations = metadata->find("annotations");
  if (annotations != metadata->end() && annotations->is_object()) annotations->erase(kLastApplied);
}

Result<Json> parse_object(const HttpResponse& response) {
  auto object = parse_json(response.body);
  if (object && !object->is_object())
    return Error{ErrorKind::Parse, "the API server answered with something other than an object"};
  if (object) drop_bulk(*object);
  return object;
}

std::string dry_run_value(bool dry_run) { return dry_run ? "All" : ""; }

std::string_view content_type(Patch::Type type) {
  switch (type) {
    case Patch::Type::Apply: return "application/apply-patch+yaml";
    case Patch::Type::JsonPatch: return "application/json-patch+json";
    case Patch::Type::JsonMerge: return "application/merge-patch+json";
  }
  return "";
}

bool has_test(const std::string& body) {
  const auto operations = parse_json(body);
  return operations && operations->is_array() &&
         std::any_of(operations->begin(), operations->end(),
                     [](const Json& each) { return json_text(each, {"op"}) == "test"; });
}

HttpRequest read_request(std::string target) {
  return {"GET", std::move(target), {{"Accept", "application/json"}}, {}};
}

HttpRequest write_request(std::string method, std::string target, std::string_view type,
                          std::string body) {
  return {std::move(method),
          std::move(target),
          {{"Accept", "application/json"}, {"Content-Type", std::string(type)}},
          std::move(body)};
}

class HttpApiClient final : public ApiClient {
 public:
  HttpApiClient(HttpClient& http, const Clock& clock, Random& random, HttpApiClientOptions options)
      : http_(http),
        clock_(clock),
        random_(random),
        options_(std::move(options)),
        bucket_(options_.requests_per_second, options_.burst) {}

  Result<Json> get(const Kind& kind, const ObjectKey& key, const Deadline& deadline) override;
  Result<ListPage> list(const Kind& kind, const Selection& selection, const std::string& next,
                        const Deadline& deadline) override;
  Result<Json> create(const Kind& kind, const std::string& ns, const Json& object, bool dry_run,
                      const Deadline& deadline) override;
  Result<Json> patch(const Kind& kind, const ObjectKey& key, const Patch& patch,
                     const Deadline& deadline) override;
  Result<void> remove(const Kind& kind, const ObjectKey& key, const std::string& uid,
                      const Deadline& deadline) override;
  Result<void> watch(const WatchRequest& request, const OnLine& on_line,
                     const std::stop_token& stop) override;

 private:
  void sleep(milliseconds span) const;
  Result<void> wait_for_token(const Deadline& deadline);
  // One attempt, with every answer of the server but 2xx.
  Result<HttpResponse> send(const HttpRequest& request, const Deadline& deadline);
  Result<HttpResponse> read(const HttpRequest& request, const Deadline& deadline);
  Result<HttpResponse> write(const HttpRequest& request, const Deadline& deadline);

  HttpClient& http_;
  const Clock& clock_;
  Random& random_;
  const HttpApiClientOptions options_;
  Mutex mutex_;
  TokenBucket bucket_ GUARDED_BY(mutex_);
};

void HttpApiClient::sleep(milliseconds span) const {
  if (options_.sleep) {
    options_.sleep(span);
  } else {
    std::this_thread::sleep_for(span);
  }
}

Result<void> HttpApiClient::wait_for_token(const Deadline& deadline) {
  std::optional<milliseconds> wait;
  {
    Lock lock(mutex_);
    wait = bucket_.take(clock_.monotonic(), deadline.left(clock_));
  }
  if (!wait)
    return Error{ErrorKind::Timeout,
                 "our own request rate limit leaves no room before the deadline"};
  if (*wait > milliseconds(0)) sleep(*wait);
  return {};
}

Result<HttpResponse> HttpApiClient::send(const HttpRequest& request, const Deadline& deadline) {
  if (auto waited = wait_for_token(deadline); !waited) return std::move(waited).error();
  return http_.send(request, deadline);
}

Result<HttpResponse> HttpApiClient::write(const HttpRequest& request, const Deadline& deadline) {
  ASSIGN_OR_RETURN(auto response, send(request, deadline));
  if (response.status / 100 != 2) return response_error(response);
  return response;
}

Result<HttpResponse> HttpApiClient::read(const HttpRequest& request, const Deadline& deadline) {
  milliseconds pause = kRetryPause;
  for (int attempt = 1;; ++attempt) {
    auto response = write(request, deadline);
    if (response || response.error().kind != ErrorKind::Unavailable || attempt == kReadAttempts)
      return response;
    const auto jittered = std::chrono::duration_cast<milliseconds>(pause * (1 + random_.uniform()));
    if (jittered >= deadline.left(clock_)) return response;
    sleep(jittered);
    pause *= 2;
  }
}

Result<Json> HttpApiClient::get(const Kind& kind, const ObjectKey& key, const Deadline& deadline) {
  ASSIGN_OR_RETURN(auto path, object_path(kind, key));
  ASSIGN_OR_RETURN(const auto response, read(read_request(std::move(path)), deadline));
  return parse_object(response);
}

Result<ListPage> HttpApiClient::list(const Kind& kind, const Selection& selection,
                                     const std::string& next, const Deadline& deadline) {
  ASSIGN_OR_RETURN(const auto path, collection_path(kind, selection.ns));
  const auto query = query_string({{"limit", std::to_string(kListPageSize)},
                                   {"labelSelector", selection.labels},
                                   {"continue", next}});
  ASSIGN_OR_RETURN(const auto response, read(read_request(path + query), deadline));
  ASSIGN_OR_RETURN(auto body, parse_json(response.body));
  const auto bad = [&](std::string_view why) {
    return Error{ErrorKind::Parse, fmt::format("list of {}: {}", kind.plural, why)};
  };
  ListPage page;
  page.resource_version = json_text(body, {"metadata", "resourceVersion"});
  page.next = json_text(body, {"metadata", "continue"});
  if (page.resource_version.empty()) return bad("no metadata.resourceVersion");
  const auto items = body.find("items");
  if (items == body.end() || !(items->is_array() || items->is_null())) return bad("no items");
  for (Json& item : *items) {
    drop_bulk(item);
    page.items.push_back(std::move(item));
  }
  return page;
}

Result<Json> HttpApiClient::create(const Kind& kind, const std::string& ns, const Json& object,
                                   bool dry_run, const Deadline& deadline) {
  ASSIGN_OR_RETURN(const auto path, collection_path(kind, ns));
  const auto query =
      query_string({{"fieldManager", options_.field_manager}, {"dryRun", dry_run_value(dry_run)}});
  const auto request = write_request("POST", path + query, "application/json", dump_json(object));
  ASSIGN_OR_RETURN(const auto response, write(request, deadline));
  return parse_object(response);
}

Result<Json> HttpApiClient::patch(const Kind& kind, const ObjectKey& key, const Patch& patch,
                                  const Deadline& deadline) {
  ASSIGN_OR_RETURN(const auto path, object_path(kind, key, patch.subresource));
  const auto query = query_string({{"fieldManager", options_.field_manager},
                                   {"force", patch.type == Patch::Type::Apply ? "true" : ""},
                                   {"dryRun", dry_run_value(patch.dry_run)}});
  const auto request = write_request("PATCH", path + query, content_type(patch.type), patch.body);
  ASSIGN_OR_RETURN(const auto response, send(request, deadline));
  if (response.status / 100 == 2) return parse_object(response);
  if (patch.type == Patch::Type::JsonPatch && is_unapplied_patch(response) && has_test(patch.body))
    return Error{ErrorKind::Conflict,
                 fmt::format("{} {}: the patch does not fit the object as it is now", kind.name,
                             to_string(key))};
  return response_error(response);
}

Result<void> HttpApiClient::remove(const Kind& kind, const ObjectKey& key, const std::string& uid,
                                   const Deadline& deadline) {
  if (uid.empty())
    return Error{ErrorKind::Invalid,
                 fmt::format("{} {}: a deletion needs the uid", kind.name, to_string(key))};
  ASSIGN_OR_RETURN(auto path, object_path(kind, key));
  const Json options{{"apiVersion", "v1"},
                     {"kind", "DeleteOptions"},
                     {"preconditions", {{"uid", uid}}},
                     {"propagationPolicy", "Background"}};
  const auto request =
      write_request("DELETE", std::move(path), "application/json", dump_json(options));
  ASSIGN_OR_RETURN(const auto response, write(request, deadline));
  return {};
}

Result<void> HttpApiClient::watch(const WatchRequest& request, const OnLine& on_line,
                                  const std::stop_token& stop) {
  ASSIGN_OR_RETURN(const auto path, collection_path(request.kind, request.selection.ns));
  const auto query = query_string({{"watch", "true"},
                                   {"allowWatchBookmarks", "true"},
                                   {"timeoutSeconds", std::to_string(request.timeout.count())},
                                   {"resourceVersion", request.resource_version},
                                   {"labelSelector", request.selection.labels}});
  LineSplitter splitter(kMaxLineBytes);
  bool heard = false;
  bool wanted = true;
  bool too_long = false;
  const auto on_bytes = [&](std::string_view bytes) {
    too_long = !splitter.feed(bytes, [&](std::string_view line) {
      heard = true;
      if (wanted) wanted = on_line(line);
    });
    return wanted && !too_long;
  };
  const SteadyTime started = clock_.monotonic();
  ASSIGN_OR_RETURN(const auto response, http_.stream(read_request(path + query), on_bytes,
                                                     request.timeout + kSilence, stop));
  if (response.status != 200) return response_error(response);
  if (too_long)
    return Error{ErrorKind::Parse, fmt::format("watch of {}: a line exceeds {} bytes",
                                               request.kind.plural, kMaxLineBytes)};
  if (!heard && clock_.monotonic() - started < kShortWatch)
    return Error{
        ErrorKind::Unavailable,
        fmt::format("watch of {}: closed at once, with nothing said", request.kind.plural)};
  return {};
}

}  // namespace

std::unique_ptr<ApiClient> make_http_api_client(HttpClient& http, const Clock& clock,
                                                Random& random, HttpApiClientOptions options) {
  return std::make_unique<HttpApiClient>(http, clock, random, std::move(options));
}

}  // namespace weir
