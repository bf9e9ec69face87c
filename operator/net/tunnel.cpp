#include <arpa/inet.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>

#include "base/base64.h"
#include "base/clock.h"
#include "base/deadline.h"
#include "net/proxy.h"

namespace weir {
namespace {

constexpr std::size_t kMaxAnswerBytes = 8U << 10U;
constexpr std::size_t kMaxShown = 80;       // bytes of the proxy's status line in a message
constexpr std::size_t kMaxNameBytes = 255;  // RFC 1928

// What both protocols need of a connected socket.
class Wire {
 public:
  Wire(int socket, const Proxy& proxy, milliseconds limit)
      : socket_(socket), proxy_(proxy), deadline_(Deadline::after(clock_, limit)) {}

  Error failed(std::string_view why) const {
    return Error{ErrorKind::Unavailable, fmt::format("proxy {}: {}", proxy_.url.authority(), why)};
  }

  Result<void> send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent <= 0) return failed("the connection was cut");
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return {};
  }

  // Byte by byte: what follows the proxy's answer belongs to the tunnel.
  Result<char> receive() const {
    for (;;) {
      pollfd state{socket_, POLLIN, 0};
      // Never short of the deadline, or the caller could not tell that it has passed.
      const auto left = std::min<std::int64_t>(deadline_.left(clock_).count() + 1, INT_MAX);
      const int ready = ::poll(&state, 1, static_cast<int>(left));
      if (ready < 0 && errno == EINTR) continue;
      if (ready <= 0) return failed("no answer in time");
      char c = 0;
      if (::recv(socket_, &c, 1, 0) != 1) return failed("the connection was cut");
      return c;
    }
  }

  Result<std::string> receive(std::size_t count) const {
    std::string bytes;
    while (bytes.size() < count) {
      ASSIGN_OR_RETURN(const char c, receive());
      bytes += c;
    }
    return bytes;
  }

 private:
  const SystemClock clock_{};
  const int socket_;
  const Proxy& proxy_;
  const Deadline deadline_;
};

std::string shown_address(const Url& server) {
  const bool v6 = server.host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", server.host, v6 ? "]" : "", server.port);
}

Result<std::string> read_head(const Wire& wire) {
  std::string head;
  while (!head.ends_with("\r\n\r\n")) {
    if (head.size() >= kMaxAnswerBytes) return wire.failed("its answer has no end");
    ASSIGN_OR_RETURN(const char c, wire.receive());
    head += c;
  }
  return head;
}

// "HTTP/1.1 200 Connection established"
bool is_success(std::string_view head) {
  const auto blank = head.find(' ');
  return head.starts_with("HTTP/1.") && blank != std::string_view::npos &&
         head.substr(blank + 1, 1) == "2";
}

Result<void> connect_by_http(const Wire& wire, const Proxy& proxy, const Url& server) {
  const auto where = shown_address(server);
  auto request = fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n", where);
  if (!proxy.user.empty() || !proxy.password.empty())
    request += fmt::format("Proxy-Authorization: Basic {}\r\n",
                           encode_base64(fmt::format("{}:{}", proxy.user, proxy.password)));
  if (auto sent = wire.send(request + "\r\n"); !sent) return sent;
  ASSIGN_OR_RETURN(const auto head, read_head(wire));
  if (is_success(head)) return {};
  auto line = head.substr(0, std::min(head.find('\r'), kMaxShown));
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return wire.failed(fmt::format("no tunnel to {}: {}", where, line));
}

namespace socks {

constexpr char kVersion = 5;
constexpr char kLoginVersion = 1;
constexpr char kNoLogin = 0;
constexpr char kLogin = 2;
constexpr char kConnect = 1;
constexpr char kIpv4 = 1;
constexpr char kName = 3;
constexpr char kIpv6 = 4;
constexpr std::size_t kIpv4Bytes = 4;
constexpr std::size_t kIpv6Bytes = 16;
constexpr std::size_t kPortBytes = 2;

// Its length in a byte before it.
std::string counted(const std::string& text) { return static_cast<char>(text.size()) + text; }

std::string address_of(const std::string& host) {
  std::array<char, kIpv6Bytes> bytes{};
  if (::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1)
    return kIpv4 + std::string(bytes.data(), kIpv4Bytes);
  if (::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1)
    return kIpv6 + std::string(bytes.data(), kIpv6Bytes);
  return kName + counted(host);
}

std::string_view reason(char code) {
  static constexpr std::array<std::string_view, 9> kReasons{
      "",
      "general failure",
      "not allowed by its rules",
      "network unreachable",
      "host unreachable",
      "connection refused",
      "time to live expired",
      "it knows no CONNECT",
      "it does not know this kind of address"};
  const auto index = static_cast<unsigned char>(code);
  return index < kReasons.size() ? kReasons[index] : "an unknown reason";
}

Result<void> log_in(const Wire& wire, const Proxy& proxy) {
  const bool has_login = !proxy.user.empty();
  const std::string methods = has_login ? std::string{kNoLogin, kLogin} : std::string{kNoLogin};
  if (auto sent = wire.send(kVersion + counted(methods)); !sent) return sent;
  ASSIGN_OR_RETURN(const auto choice, wire.receive(2));
  if (choice[0] != kVersion) return wire.failed("it does not speak SOCKS 5");
  if (choice[1] == kNoLogin) return {};
  if (choice[1] != kLogin || !has_login)
    return wire.failed(has_login ? "it takes no user and password" : "it wants a user");
  if (auto sent = wire.send(kLoginVersion + counted(proxy.user) + counted(proxy.password)); !sent)
    return sent;
  ASSIGN_OR_RETURN(const auto verdict, wire.receive(2));
  if (verdict[1] != 0) return wire.failed("it refused the user or the password");
  return {};
}

// The address that the proxy connects from, which nobody needs.
Result<void> skip_address(const Wire& wire, char kind) {
  std::size_t bytes = kind == kIpv4 ? kIpv4Bytes : kIpv6Bytes;
  if (kind == kName) {
    ASSIGN_OR_RETURN(const char size, wire.receive());
    bytes = static_cast<unsigned char>(size);
  }
  const auto skipped = wire.receive(bytes + kPortBytes);
  return skipped ? Result<void>() : skipped.error();
}

}  // namespace socks

Result<void> connect_by_socks(const Wire& wire, const Proxy& proxy, const Url& server) {
  using namespace socks;
  if (server.host.size() > kMaxNameBytes) return wire.failed("the server's name is too long");
  if (auto entered = log_in(wire, proxy); !entered) return entered;
  const std::string port{static_cast<char>(server.port >> 8U),
                         static_cast<char>(server.port & 0xffU)};
  const std::string head{kVersion, kConnect, 0};
  if (auto sent = wire.send(head + address_of(server.host) + port); !sent) return sent;
  ASSIGN_OR_RETURN(const auto answer, wire.receive(4));
  if (answer[0] != kVersion) return wire.failed("it does not speak SOCKS 5");
  if (answer[1] != 0)
    return wire.failed(
        fmt::format("no tunnel to {}: {}", shown_address(server), reason(answer[1])));
  return skip_address(wire, answer[3]);
}

}  // namespace

Result<void> open_tunnel(int socket, const Proxy& proxy, const Url& server,
                         std::chrono::milliseconds limit) {
  const Wire wire(socket, proxy, limit);
  return proxy.kind == ProxyKind::Socks5 ? connect_by_socks(wire, proxy, server)
                                         : connect_by_http(wire, proxy, server);
}

}  // namespace weir
