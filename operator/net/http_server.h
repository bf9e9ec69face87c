// A small HTTP server: for probes and metrics (its own port and threads, keep-alive off, so that it answers when all else is busy),
// and for the simulator's API, with bodies and streams.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weir {

struct ServedRequest {
  std::string method;
  std::string path;                            // decoded
  std::map<std::string, std::string> query;    // decoded; the first of each name
  std::map<std::string, std::string> headers;  // names in lower case; the first of each name
  std::string body;
};

// The open end of a streamed body.
struct HttpSink {
  std::function<bool(std::string_view)> write;  // false when the reader has gone
  std::function<bool()> is_open;
};

struct HttpReply {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body{};
  std::multimap<std::string, std::string> headers{};
  // Instead of a body: writes until it returns, which it must do soon after a stop is requested. Of a content type that httplib
  // does not compress (it would hold parts back): one with a parameter, say.
  std::function<void(const HttpSink&, const std::stop_token&)> stream{};
};

// GET handlers by exact path; all others 404. Handlers are called from the server's threads and must be thread-safe.
using HttpRoutes = std::map<std::string, std::function<HttpReply()>>;
using HttpHandler = std::function<HttpReply(const ServedRequest&)>;

struct HttpServerOptions {
  std::size_t threads = 4;  // as many requests, streams and kept connections at once
  bool keep_alive = false;
  std::size_t max_body = 4096;  // bytes of a request
};

// Listens on construction, stops and joins on destruction.
class HttpServer {
 public:
  virtual ~HttpServer() = default;
  virtual std::uint16_t port() const = 0;  // the one chosen when 0 was asked for
};

// Error kind: Unavailable, when the address cannot be bound.
Result<std::unique_ptr<HttpServer>> serve_http(const std::string& host, std::uint16_t port,
                                               HttpRoutes routes);
Result<std::unique_ptr<HttpServer>> serve_http(const std::string& host, std::uint16_t port,
                                               HttpHandler handler,
                                               const HttpServerOptions& options);

}  // namespace weir
