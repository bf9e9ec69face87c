// httplib's clients on a byte stream of ours. Theirs reads a status line of any length and matches it with a regular
// expression that recurses: 60 kB of it overflow the stack. It also waits without limit for the rest of a TLS record.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "net/proxy.h"
#include "net/tls_material.h"
#include "net/url.h"

namespace httplib {
class ClientImpl;
class SSLClient;
}  // namespace httplib

namespace weir {

inline constexpr std::size_t kMaxHeadLine = 8U << 10U;    // bytes; the status line or one header
inline constexpr std::size_t kMaxHeadBytes = 64U << 10U;  // all of them

// What the head of an answer may still take. Not thread-safe: it belongs to the one exchange in progress.
class HeadBudget {
 public:
  void begin() { *this = HeadBudget(); }  // of a new exchange
  void end() { in_head_ = false; }        // the body begins
  // False once the head is too large.
  bool charge(const char* data, std::size_t size);
  bool exceeded() const { return exceeded_; }

 private:
  bool in_head_ = true;
  bool exceeded_ = false;
  std::size_t line_ = 0;
  std::size_t total_ = 0;
};

// Where a client's connections go, and how.
struct Route {
  Url server;
  std::optional<Proxy> proxy{};
  std::string proxy_fault{};  // why the last connection through the proxy failed; "" = it did not
};

// `route` and `budget` must outlive the client.
std::unique_ptr<httplib::ClientImpl> make_plain_client(Route& route, HeadBudget& budget);
// The server must show a certificate for tls.server_name, or for its own name when that is empty.
std::unique_ptr<httplib::SSLClient> make_tls_client(Route& route, const TlsMaterial& tls,
                                                    HeadBudget& budget);

}  // namespace weir
