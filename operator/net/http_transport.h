// httplib's clients on a byte stream of ours. Theirs reads a status line of any length and matches it with a regular
// expression that recurses: 60 kB of it overflow the stack. It also waits without limit for the rest of a TLS record.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "net/tls_material.h"

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

// `budget` must outlive the client.
std::unique_ptr<httplib::ClientImpl> make_plain_client(const std::string& host, std::uint16_t port,
                                                       HeadBudget& budget);
std::unique_ptr<httplib::SSLClient> make_tls_client(const std::string& host, std::uint16_t port,
                                                    const TlsMaterial& tls, HeadBudget& budget);

}  // namespace weir
