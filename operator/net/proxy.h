// A proxy that connections are tunnelled through, and which one the environment asks for.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/url.h"

namespace weir {

enum class ProxyKind { Http, Socks5 };

struct Proxy {
  Url url;  // without path
  ProxyKind kind = ProxyKind::Http;
  std::string user{};      // both "" = no login
  std::string password{};  // a secret
};

// "SCHEME://[USER:PASSWORD@]HOST[:PORT]" with http, socks5 or socks5h, or "HOST:PORT" for http. Error kind: Invalid; it never shows
// the password.
Result<Proxy> parse_proxy(std::string_view text);

// The value of an environment variable, "" when it is not set.
using Environment = std::function<std::string(const char*)>;

// As kubectl and curl do: HTTPS_PROXY for https, HTTP_PROXY for http, but for what NO_PROXY names (hosts with all below them,
// addresses, networks, "*"), and never for this machine itself. Lower case counts too. Errors: those of parse_proxy.
Result<std::optional<Proxy>> proxy_from_environment(const Url& server,
                                                    const Environment& environment);

// Asks the proxy at the other end of a connected socket for a tunnel, within `limit`: RFC 9110 (CONNECT), or RFC 1928 and 1929
// (SOCKS 5). The server's name is looked up by the proxy. Error kind: Unavailable.
Result<void> open_tunnel(int socket, const Proxy& proxy, const Url& server,
                         std::chrono::milliseconds limit);

}  // namespace weir
