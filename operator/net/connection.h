#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "net/http.h"
#include "net/http_transport.h"
#include "net/tls_material.h"
#include "net/url.h"

namespace weir {

// One connection to one server, made when first used and kept open in between. One exchange at a time; only `cut` may be
// called from other threads.
class Connection {
 public:
  // Each bounds one step; the whole is bounded by whoever calls `cut`.
  struct Limits {
    milliseconds connect;  // each address of the host, with the TLS handshake
    milliseconds idle;     // between two slices of the answer, or of the request
  };
  struct Receiver {
    std::function<void(int status)> on_head;
    std::function<bool(std::string_view)> on_bytes;  // false ends the exchange with an error
  };

  struct Target {
    Url server;
    TlsMaterial tls{};
    std::optional<Proxy> proxy{};
  };

  // Error kind: Invalid, when the TLS material cannot be used.
  static Result<std::unique_ptr<Connection>> make(const Target& target);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // The response's body stays empty: it went to the receiver. Errors: Unavailable, Internal (an exception of httplib), Invalid (a
  // header or target that would break the request's framing).
  Result<HttpResponse> exchange(const HttpRequest& request, const Limits& limits,
                                const Receiver& receiver);

  // Ends an exchange in progress, in any phase but name resolution. Not sticky: repeat until the exchange has returned.
  void cut();

  // Whether the server has closed it (or sent what nobody asked for) since the last exchange.
  bool stale();

 private:
  explicit Connection(const Target& target);
  bool prepare(const TlsMaterial& tls);
  void remember(int socket);
  std::string describe(int error) const;

  const Url server_;
  Route route_;
  HeadBudget head_;
  std::unique_ptr<httplib::ClientImpl> client_;  // after what it refers to
  Mutex mutex_;
  int socket_ GUARDED_BY(mutex_) = -1;  // our own descriptor of the client's socket
};

}  // namespace weir
