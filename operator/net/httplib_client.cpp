#include "net/httplib_client.h"

#include <fmt/format.h>

#include <algorithm>

#include "net/connection_pool.h"
#include "net/credential_client.h"
#include "net/tls_material.h"
#include "net/watchdog.h"

namespace weir {
namespace {

constexpr milliseconds kConnectTimeout{3000};
constexpr milliseconds kStreamHeadTimeout{
    30'000};  // from the request to the head of a stream's answer

class HttplibClient final : public HttpClient {
 public:
  HttplibClient(HttpClientOptions options, TlsMaterial tls)
      : options_(std::move(options)),
        pool_({options_.server, std::move(tls), options_.proxy}, options_.max_idle_connections) {}

  Result<HttpResponse> send(const HttpRequest& request, const Deadline& deadline) override;
  Result<HttpResponse> stream(const HttpRequest& request, const OnBytes& on_bytes,
                              milliseconds idle_limit, const std::stop_token& stop) override;

 private:
  HttpRequest complete(const HttpRequest& request) const;
  // Appends to `body`; false, and a reason in `refused`, when it would become too large.
  bool collect(std::string_view bytes, std::string& body, std::string& refused) const;
  Error timeout(std::string_view what) const;

  const SystemClock clock_{};  // sockets know no other
  const HttpClientOptions options_;
  ConnectionPool pool_;
  Watchdog watchdog_;
};

HttpRequest HttplibClient::complete(const HttpRequest& request) const {
  HttpRequest out = request;
  out.headers.try_emplace("User-Agent", options_.user_agent);
  if (!options_.authorization.empty())
    out.headers.insert_or_assign("Authorization", options_.authorization);
  if (options_.bearer_token) {
    if (const auto token = options_.bearer_token())
      out.headers.insert_or_assign("Authorization", "Bearer " + *token);
  }
  return out;
}

bool HttplibClient::collect(std::string_view bytes, std::string& body, std::string& refused) const {
  if (body.size() + bytes.size() > options_.max_body_bytes) {
    refused = fmt::format("{}: the body exceeds max_body_bytes ({})", options_.server.authority(),
                          options_.max_body_bytes);
    return false;
  }
  body += bytes;
  return true;
}

Error HttplibClient::timeout(std::string_view what) const {
  return Error{ErrorKind::Timeout, fmt::format("{}: {}", options_.server.authority(), what)};
}

Result<HttpResponse> HttplibClient::send(const HttpRequest& request, const Deadline& deadline) {
  const milliseconds left = deadline.left(clock_);
  if (left == milliseconds(0)) return timeout("the deadline had passed before the request");
  ASSIGN_OR_RETURN(auto connection, pool_.take());
  std::string body;
  std::string refused;
  auto result = [&] {
    const Watchdog::Guard guard(watchdog_, *connection, deadline.at());
    return connection->exchange(
        complete(request), {std::min(kConnectTimeout, left), left},
        {[](int) {}, [&](std::string_view bytes) { return collect(bytes, body, refused); }});
  }();
  if (result) {
    result->body = std::move(body);
    pool_.give(std::move(connection));
    return result;
  }
  if (!refused.empty()) return Error{ErrorKind::Unavailable, refused};
  if (result.error().kind == ErrorKind::Unavailable && deadline.left(clock_) == milliseconds(0))
    return timeout("no whole answer within the deadline");
  return result;
}

Result<HttpResponse> HttplibClient::stream(const HttpRequest& request, const OnBytes& on_bytes,
                                           milliseconds idle_limit, const std::stop_token& stop) {
  const Error shutdown{ErrorKind::Shutdown, "told to stop"};
  if (stop.stop_requested()) return shutdown;
  ASSIGN_OR_RETURN(auto connection, pool_.make());
  const auto head_due = Deadline::after(clock_, std::min(idle_limit, kStreamHeadTimeout));
  int status = 0;
  std::string body;
  std::string refused;
  auto result = [&] {
    Watchdog::Guard guard(watchdog_, *connection, head_due.at());
    const std::stop_callback on_stop(stop, [&guard] { guard.expire(); });
    const auto on_head = [&](int seen) {
      status = seen;
      if (seen == 200) guard.lift();
    };
    const auto on_slice = [&](std::string_view bytes) {
      if (stop.stop_requested()) return false;
      return status == 200 ? on_bytes(bytes) : collect(bytes, body, refused);
    };
    return connection->exchange(complete(request), {kConnectTimeout, idle_limit},
                                {on_head, on_slice});
  }();
  if (stop.stop_requested()) return shutdown;
  if (status == 200)
    return HttpResponse{200, result ? result->headers : decltype(HttpResponse::headers){}, {}};
  if (result) {
    result->body = std::move(body);
    return result;
  }
  if (!refused.empty()) return Error{ErrorKind::Unavailable, refused};
  if (result.error().kind == ErrorKind::Unavailable && head_due.left(clock_) == milliseconds(0))
    return timeout("the stream did not begin in time");
  return result;
}

}  // namespace

Result<std::unique_ptr<HttpClient>> make_httplib_client(HttpClientOptions options) {
  TlsMaterial tls;
  if (options.server.tls) {
    ASSIGN_OR_RETURN(tls, parse_tls_material(options.tls));
    // Proves that OpenSSL takes it, before the first request needs it.
    ASSIGN_OR_RETURN(const auto probe, Connection::make({options.server, tls}));
  }
  if (options.credentials != nullptr) return make_credential_client(std::move(options));
  return std::unique_ptr<HttpClient>(
      std::make_unique<HttplibClient>(std::move(options), std::move(tls)));
}

}  // namespace weir
