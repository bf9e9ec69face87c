#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>

#include "base/clock.h"
#include "base/deadline.h"
#include "net/proxy.h"

namespace weir {
namespace {

constexpr std::size_t kMaxAnswerBytes = 8U << 10U;
constexpr std::size_t kMaxShown = 80;  // bytes of the proxy's status line in a message

Error failed(const Proxy& proxy, std::string_view why) {
  return Error{ErrorKind::Unavailable, fmt::format("proxy {}: {}", proxy.url.authority(), why)};
}

bool send_all(int socket, std::string_view text) {
  while (!text.empty()) {
    const auto sent = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

// Byte by byte: what follows the blank line belongs to the tunnel.
Result<std::string> read_head(int socket, const Proxy& proxy, const Deadline& deadline) {
  const SystemClock clock;
  std::string head;
  while (!head.ends_with("\r\n\r\n")) {
    if (head.size() >= kMaxAnswerBytes) return failed(proxy, "its answer has no end");
    pollfd state{socket, POLLIN, 0};
    // Never short of the deadline, or the caller could not tell that it has passed.
    const auto left = std::min<std::int64_t>(deadline.left(clock).count() + 1, INT_MAX);
    const int ready = ::poll(&state, 1, static_cast<int>(left));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return failed(proxy, "no answer in time");
    char c = 0;
    if (::recv(socket, &c, 1, 0) != 1) return failed(proxy, "the connection was cut");
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

}  // namespace

Result<void> open_tunnel(int socket, const Proxy& proxy, const Url& server,
                         std::chrono::milliseconds limit) {
  const auto deadline = Deadline::after(SystemClock(), limit);
  const bool v6 = server.host.find(':') != std::string::npos;
  const auto where =
      fmt::format("{}{}{}:{}", v6 ? "[" : "", server.host, v6 ? "]" : "", server.port);
  auto request = fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n", where);
  if (!proxy.authorization.empty())
    request += fmt::format("Proxy-Authorization: {}\r\n", proxy.authorization);
  if (!send_all(socket, request + "\r\n")) return failed(proxy, "the connection was cut");
  ASSIGN_OR_RETURN(const auto head, read_head(socket, proxy, deadline));
  if (is_success(head)) return {};
  auto line = head.substr(0, std::min(head.find('\r'), kMaxShown));
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return failed(proxy, fmt::format("no tunnel to {}: {}", where, line));
}

}  // namespace weir
