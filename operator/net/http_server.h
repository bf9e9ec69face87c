// A small HTTP server for probes and metrics: its own port and threads, keep-alive off, so that it answers when all else is busy.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/result.h"

namespace weir {

struct HttpReply {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body{};
};

// GET handlers by exact path; all others 404. Handlers are called from the server's threads and must be thread-safe.
using HttpRoutes = std::map<std::string, std::function<HttpReply()>>;

// Listens on construction, stops and joins on destruction.
class HttpServer {
 public:
  virtual ~HttpServer() = default;
  virtual std::uint16_t port() const = 0;  // the one chosen when 0 was asked for
};

// Error kind: Unavailable, when the address cannot be bound.
Result<std::unique_ptr<HttpServer>> serve_http(const std::string& host, std::uint16_t port,
                                               HttpRoutes routes);

}  // namespace weir
