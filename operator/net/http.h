// The HTTP client as the rest of Weir sees it. Implementations: HttplibClient (httplib_client.h), the simulator's.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/result.h"

namespace weir {

struct HttpRequest {
  std::string method = "GET";
  std::string
      target;  // origin form: path and query, already percent-encoded; the client knows the host
  std::map<std::string, std::string> headers{};
  std::string body{};
};

struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string> headers{};  // names in lower case
  std::string body{};
};

// One server (scheme, host, port, prefix path, credentials).
// Thread-safe. Any status code is a response, not an error. Errors: Unavailable (no connection, cut), Timeout, Shutdown,
// Invalid (unusable TLS material), and Unavailable with the limit's name when a body is larger than the client allows.
// Never retries, never follows a redirect. The resolution of the host's name is outside all limits.
class HttpClient {
 public:
  using OnBytes = std::function<bool(std::string_view)>;  // false ends the stream

  virtual ~HttpClient() = default;
  virtual Result<HttpResponse> send(const HttpRequest& request, const Deadline& deadline) = 0;

  // Blocks until the server ends the stream, `stop` is requested, `on_bytes` returns false or nothing has come for
  // `idle_limit`. `on_bytes` sees only the body of a 200; of any other status the response carries the body.
  // Once a 200 has come, every end but a stop is a success, a cut and silence too: the caller goes on from what it has seen.
  // Before, the errors of `send`; Timeout when the head of the answer takes longer than `idle_limit` or 30 s.
  // It uses a connection of its own, so it never starves `send`.
  virtual Result<HttpResponse> stream(const HttpRequest& request, const OnBytes& on_bytes,
                                      milliseconds idle_limit, const std::stop_token& stop) = 0;
};

}  // namespace weir
