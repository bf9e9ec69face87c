#include "net/proxy.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdint>

#include "base/base64.h"

namespace weir {
namespace {

constexpr std::size_t kAddressBytes = 16;

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
  if (scheme != "http")
    return Error{ErrorKind::Invalid,
                 fmt::format("proxies of {} are not supported, only of http", scheme)};
  Proxy proxy;
  if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
    const auto user = rest.substr(0, at);
    const auto colon = std::min(user.find(':'), user.size());
    const auto password = colon < user.size() ? user.substr(colon + 1) : std::string_view();
    proxy.authorization =
        "Basic " + encode_base64(fmt::format("{}:{}", percent_decode(user.substr(0, colon)),
                                             percent_decode(password)));
    rest = rest.substr(at + 1);
  }
  ASSIGN_OR_RETURN(proxy.url, parse_url(fmt::format("{}://{}", scheme, rest)));
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
