#include "net/proxy.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdint>

namespace weir {
namespace {

constexpr std::size_t kAddressBytes = 16;
constexpr std::size_t kMaxLoginBytes = 255;  // RFC 1929
constexpr std::uint16_t kSocksPort = 1080;

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

int hex_digit(char c) {
  int value = -1;
  std::from_chars(&c, &c + 1, value, 16);
  return value;
}

std::string percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool encoded = text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
                         hex_digit(text[i + 2]) >= 0;
    out +=
        encoded ? static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])) : text[i];
    if (encoded) i += 2;
  }
  return out;
}

// An address as 16 bytes, IPv4 mapped into IPv6; nothing for a name.
using Address = std::array<unsigned char, kAddressBytes>;
std::optional<Address> parse_address(const std::string& text) {
  Address address{};
  if (::inet_pton(AF_INET6, text.c_str(), address.data()) == 1) return address;
  constexpr std::size_t kMapped = 12;
  address[10] = address[11] = 0xff;
  if (::inet_pton(AF_INET, text.c_str(), address.data() + kMapped) == 1) return address;
  return std::nullopt;
}

bool is_loopback(const std::string& host) {
  if (host == "localhost") return true;
  const auto address = parse_address(host);
  if (!address) return false;
  const auto v6 = parse_address("::1");
  return address == v6 || (host.find(':') == std::string::npos && (*address)[12] == 127);
}

// "10.0.0.0/8"
bool is_in_network(const Address& address, std::string_view entry) {
  const auto slash = entry.find('/');
  const std::string base(entry.substr(0, slash));
  const auto network = parse_address(base);
  std::size_t bits = 0;
  const char* end = entry.data() + entry.size();
  const auto read = std::from_chars(entry.data() + slash + 1, end, bits);
  if (!network || read.ec != std::errc() || read.ptr != end) return false;
  if (base.find(':') == std::string::npos) bits += 96;
  if (bits > kAddressBytes * 8) return false;
  for (std::size_t i = 0; i < bits; ++i) {
    const auto mask = static_cast<unsigned char>(0x80U >> (i % 8));
    if (((*network)[i / 8] & mask) != (address[i / 8] & mask)) return false;
  }
  return true;
}

// "example.com" and all below it; ".example.com" and "*.example.com" only what is below.
bool covers_name(std::string_view entry, const std::string& host) {
  if (entry.starts_with("*.")) entry.remove_prefix(1);
  if (entry.starts_with('.')) return host.ends_with(entry);
  return host == entry || host.ends_with("." + std::string(entry));
}

bool is_exempt(std::string_view entry, const Url& server) {
  if (entry == "*") return true;
  const auto host = lower(server.host);
  const auto address = parse_address(host);
  if (entry.find('/') != std::string_view::npos) return address && is_in_network(*address, entry);
  const auto bare = parse_address(std::string(entry));
  if (bare) return address == bare;
  const auto colon = entry.rfind(':');
  if (colon != std::string_view::npos) {
    if (entry.substr(colon + 1) != std::to_string(server.port)) return false;
    entry = entry.substr(0, colon);
    if (entry.starts_with('[') && entry.ends_with(']')) entry = entry.substr(1, entry.size() - 2);
    if (const auto with_port = parse_address(std::string(entry))) return address == with_port;
  }
  return !address && covers_name(entry, host);
}

bool is_exempt_by_list(const std::string& list, const Url& server) {
  for (std::size_t begin = 0; begin <= list.size();) {
    const auto end = std::min(list.find(',', begin), list.size());
    auto entry = lower(std::string_view(list).substr(begin, end - begin));
    entry.erase(std::remove(entry.begin(), entry.end(), ' '), entry.end());
    if (!entry.empty() && is_exempt(entry, server)) return true;
    begin = end + 1;
  }
  return false;
}

Result<ProxyKind> proxy_kind(const std::string& scheme) {
  if (scheme == "http") return ProxyKind::Http;
  if (scheme == "socks5" || scheme == "socks5h") return ProxyKind::Socks5;
  return Error{ErrorKind::Invalid,
               fmt::format("proxies of {} are not supported, only of http and socks5", scheme)};
}

bool fits_socks(const Proxy& proxy) {
  if (proxy.user.empty() && !proxy.password.empty()) return false;
  return std::max(proxy.user.size(), proxy.password.size()) <= kMaxLoginBytes;
}

// "[fd00::1]:3128", "proxy:3128/"
bool names_port(std::string_view authority) {
  const auto bracket = authority.find(']');
  return authority.find(':', bracket == std::string_view::npos ? 0 : bracket) !=
         std::string_view::npos;
}

std::string first_set(const Environment& environment, const char* upper, const char* small) {
  auto value = environment(upper);
  return value.empty() ? environment(small) : value;
}

}  // namespace

Result<Proxy> parse_proxy(std::string_view text) {
  const auto scheme_end = text.find("://");
  const auto scheme =
      scheme_end == std::string_view::npos ? "http" : lower(text.substr(0, scheme_end));
  auto rest = scheme_end == std::string_view::npos ? text : text.substr(scheme_end + 3);
  ASSIGN_OR_RETURN(const auto kind, proxy_kind(scheme));
  Proxy proxy;
  proxy.kind = kind;
  if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
    const auto login = rest.substr(0, at);
    const auto colon = std::min(login.find(':'), login.size());
    proxy.user = percent_decode(login.substr(0, colon));
    proxy.password = percent_decode(login.substr(std::min(colon + 1, login.size())));
    rest = rest.substr(at + 1);
  }
  if (kind == ProxyKind::Socks5 && !fits_socks(proxy))
    return Error{ErrorKind::Invalid,
                 fmt::format("a socks5 proxy's user has 1 to {0} bytes, its password at most {0}",
                             kMaxLoginBytes)};
  ASSIGN_OR_RETURN(proxy.url, parse_url(fmt::format("http://{}", rest)));
  if (kind == ProxyKind::Socks5 && !names_port(rest)) proxy.url.port = kSocksPort;
  proxy.url.path.clear();
  return proxy;
}

Result<std::optional<Proxy>> proxy_from_environment(const Url& server,
                                                    const Environment& environment) {
  const auto* const upper = server.tls ? "HTTPS_PROXY" : "HTTP_PROXY";
  const auto text = first_set(environment, upper, server.tls ? "https_proxy" : "http_proxy");
  if (text.empty() || is_loopback(lower(server.host)) ||
      is_exempt_by_list(first_set(environment, "NO_PROXY", "no_proxy"), server))
    return std::optional<Proxy>();
  auto proxy = parse_proxy(text);
  if (!proxy) return Error{ErrorKind::Invalid, fmt::format("{}: {}", upper, proxy.error().message)};
  return std::optional<Proxy>(*std::move(proxy));
}

}  // namespace weir
