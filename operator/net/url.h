#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weir {

// Only what we connect to: http and https, IPv6 in brackets, an optional prefix path, no user info, query or fragment.
struct Url {
  bool tls = false;
  std::string host;  // without brackets
  std::uint16_t port = 0;
  std::string path;  // "" or "/prefix" without a trailing slash

  // "host:port" as a Host header wants it (IPv6 in brackets; the scheme's default port left out).
  std::string authority() const;
};

// Error kind: Invalid, naming what is wrong.
Result<Url> parse_url(std::string_view text);

// RFC 3986 unreserved characters stay, all else becomes %XX (never '+').
std::string percent_encode(std::string_view text);

}  // namespace weir
