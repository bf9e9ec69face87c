#include "net/url.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace weir {
namespace {

constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;
constexpr int kMaxPort = 65535;

Error bad_url(std::string_view text, std::string_view why) {
  const bool may_hold_password = text.find('@') != std::string_view::npos;
  return Error{ErrorKind::Invalid,
               fmt::format("URL \"{}\": {}", may_hold_password ? "…" : text, why)};
}

bool is_alnum(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }
bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

bool starts_with_ignoring_case(std::string_view text, std::string_view lower) {
  return text.size() >= lower.size() &&
         std::equal(lower.begin(), lower.end(), text.begin(), [](char a, char b) {
           return a == static_cast<char>(std::tolower(static_cast<unsigned char>(b)));
         });
}

bool is_host_name(std::string_view host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return is_alnum(c) || c == '-' || c == '.' || c == '_';
  });
}

bool is_ipv6(std::string_view host) {
  return host.find(':') != std::string_view::npos &&
         std::all_of(host.begin(), host.end(), [](char c) {
           return std::isxdigit(static_cast<unsigned char>(c)) != 0 || c == ':' || c == '.';
         });
}

// The text behind the host: "" or ":1234".
Result<std::uint16_t> parse_port(std::string_view url, std::string_view text,
                                 std::uint16_t fallback) {
  if (text.empty()) return fallback;
  const auto digits = text.substr(1);
  constexpr std::size_t kMaxDigits = 5;
  if (text[0] != ':' || digits.empty() || digits.size() > kMaxDigits ||
      !std::all_of(digits.begin(), digits.end(), is_digit))
    return bad_url(url, "the port must be a number from 1 to 65535");
  int port = 0;
  for (const char digit : digits) port = port * 10 + (digit - '0');
  if (port < 1 || port > kMaxPort) return bad_url(url, "the port must be a number from 1 to 65535");
  return static_cast<std::uint16_t>(port);
}

// Splits "host:port" or "[v6]:port" into `url`.
Result<void> parse_authority(std::string_view text, std::string_view authority, Url& url) {
  if (authority.find('@') != std::string_view::npos)
    return bad_url(text, "user info is not allowed");
  std::size_t host_end = 0;
  if (authority.starts_with('[')) {
    const auto bracket = authority.find(']');
    if (bracket == std::string_view::npos) return bad_url(text, "the host lacks a \"]\"");
    url.host = std::string(authority.substr(1, bracket - 1));
    if (!is_ipv6(url.host)) return bad_url(text, "the host is not an IPv6 address");
    host_end = bracket + 1;
  } else {
    host_end = std::min(authority.find(':'), authority.size());
    url.host = std::string(authority.substr(0, host_end));
    if (url.host.empty()) return bad_url(text, "the host is missing");
    if (!is_host_name(url.host)) return bad_url(text, "the host has characters it must not have");
  }
  ASSIGN_OR_RETURN(url.port,
                   parse_port(text, authority.substr(host_end), url.tls ? kHttpsPort : kHttpPort));
  return {};
}

}  // namespace

std::string Url::authority() const {
  auto shown = host.find(':') == std::string::npos ? host : fmt::format("[{}]", host);
  if (port == (tls ? kHttpsPort : kHttpPort)) return shown;
  return fmt::format("{}:{}", shown, port);
}

Result<Url> parse_url(std::string_view text) {
  Url url;
  std::string_view rest = text;
  if (starts_with_ignoring_case(text, "https://")) {
    url.tls = true;
    rest.remove_prefix(std::string_view("https://").size());
  } else if (starts_with_ignoring_case(text, "http://")) {
    rest.remove_prefix(std::string_view("http://").size());
  } else {
    return bad_url(text, "it must begin with http:// or https://");
  }
  if (rest.find_first_of("?#") != std::string_view::npos)
    return bad_url(text, "a query or fragment is not allowed");
  const auto slash = std::min(rest.find('/'), rest.size());
  if (auto parsed = parse_authority(text, rest.substr(0, slash), url); !parsed)
    return std::move(parsed).error();
  auto path = rest.substr(slash);
  while (path.ends_with('/')) path.remove_suffix(1);
  const bool visible =
      std::all_of(path.begin(), path.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (!visible) return bad_url(text, "the path must be percent-encoded ASCII");
  url.path = std::string(path);
  return url;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kHexDigits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kHexDigits[byte / 16], kHexDigits[byte % 16]};
    }
  }
  return out;
}

}  // namespace weir
