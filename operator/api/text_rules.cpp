#include "api/text_rules.h"

#include <algorithm>
#include <charconv>

#include "api/canary_policy.h"
#include "base/time_format.h"

namespace weir {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower_or_digit(char c) { return is_lower(c) || is_digit(c); }
bool is_letter_or_digit(char c) { return is_lower_or_digit(c) || is_upper(c); }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r'; }

// Not empty, ends in characters of `edge`, between them `edge` or one of `inner`.
bool is_word(std::string_view text, bool (*edge)(char), std::string_view inner) {
  return !text.empty() && edge(text.front()) && edge(text.back()) &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return edge(c) || inner.find(c) != std::string_view::npos; });
}

bool is_label(std::string_view text) { return is_word(text, is_lower_or_digit, "-"); }

bool is_dns1035(std::string_view text) { return is_label(text) && is_lower(text.front()); }

bool is_subdomain(std::string_view text) {
  while (true) {
    const auto dot = text.find('.');
    if (!is_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_group(std::string_view text) { return text.empty() || is_subdomain(text); }

bool is_kind(std::string_view text) {
  return is_word(text, is_letter_or_digit, "-") && !is_digit(text.front());
}

bool is_hostname(std::string_view text) {
  if (text.starts_with("*.")) text.remove_prefix(2);
  return is_subdomain(text);
}

bool is_port_name(std::string_view text) {
  return is_label(text) && text.find("--") == std::string_view::npos &&
         std::any_of(text.begin(), text.end(), is_lower);
}

bool is_app_protocol(std::string_view text) {
  const auto slash = text.find('/');
  if (slash != std::string_view::npos) {
    if (!is_subdomain(text.substr(0, slash))) return false;
    text.remove_prefix(slash + 1);
  }
  return is_word(text, is_letter_or_digit, "-_.");
}

bool is_without_spaces(std::string_view text) {
  return !text.empty() && std::none_of(text.begin(), text.end(), is_space);
}

// Credentials in a URL would be readable by all who may read the policy.
bool is_plain_url(std::string_view text) {
  if (text.starts_with("http://"))
    text.remove_prefix(7);
  else if (text.starts_with("https://"))
    text.remove_prefix(8);
  else
    return false;
  return is_without_spaces(text) && text.front() != '/' &&
         text.find_first_of("?#@") == std::string_view::npos;
}

bool is_query(std::string_view text) {
  std::string rest(text);
  for (const auto known : kQueryPlaceholders)
    for (auto at = rest.find(known); at != std::string::npos; at = rest.find(known, at))
      rest.erase(at, known.size());
  return !text.empty() && rest.find("$(") == std::string::npos;
}

bool is_duration(std::string_view text) { return parse_duration(text).has_value(); }

// Digits without a needless leading zero.
bool is_whole_number(std::string_view text, std::size_t max_digits) {
  return !text.empty() && text.size() <= max_digits &&
         std::all_of(text.begin(), text.end(), is_digit) && (text.size() == 1 || text[0] != '0');
}

bool is_decimal(std::string_view text, std::size_t max_digits, std::size_t max_decimals) {
  const auto point = text.find('.');
  if (!is_whole_number(text.substr(0, point), max_digits)) return false;
  if (point == std::string_view::npos) return true;
  const auto decimals = text.substr(point + 1);
  return !decimals.empty() && decimals.size() <= max_decimals &&
         std::all_of(decimals.begin(), decimals.end(), is_digit);
}

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

}  // namespace

namespace text_rules {
const TextRule kLabel{63, is_label,
                      "a DNS label (lower-case letters, digits and '-', at most 63 characters)"};
const TextRule kServiceName{
    63, is_dns1035,
    "a name of at most 63 lower-case letters, digits and '-' that begins with a letter"};
const TextRule kReleaseName{
    46, is_dns1035,
    "a name of at most 46 lower-case letters, digits and '-' that begins with a letter"};
const TextRule kSubdomain{
    253, is_subdomain,
    "a DNS subdomain (lower-case letters, digits, '-' and '.', at most 253 characters)"};
const TextRule kGroup{253, is_group, "an API group, like gateway.networking.k8s.io"};
const TextRule kKind{63, is_kind, "a kind, like Gateway"};
const TextRule kHostname{253, is_hostname, "a host name, like shop.example.com or *.example.com"};
const TextRule kPortName{15, is_port_name,
                         "a port number or a port's name (at most 15 lower-case letters, digits "
                         "and single '-', with a letter)"};
const TextRule kAppProtocol{253, is_app_protocol, "a protocol, like http or kubernetes.io/h2c"};
const TextRule kImage{512, is_without_spaces, "an image without spaces, at most 512 characters"};
const TextRule kUrl{2048, is_plain_url,
                    "a URL that begins with http:// or https://, without user, query and fragment"};
const TextRule kQuery{2048, is_query,
                      "a query of 1 to 2048 characters without placeholders other than "
                      "$(release), $(namespace), $(revision) and $(service)"};
const TextRule kDuration{32, is_duration, "a duration, like 30s, 2m, 1h30m or 250ms"};
}  // namespace text_rules

std::size_t count_characters(std::string_view utf8) {
  return utf8.size() -
         static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), is_continuation));
}

std::string clip(std::string_view utf8, std::size_t max) {
  static constexpr std::string_view kMark = "…";
  if (utf8.size() <= max) return std::string(utf8);
  std::size_t end = max < kMark.size() ? 0 : max - kMark.size();
  while (end > 0 && is_continuation(utf8[end])) --end;
  return std::string(utf8.substr(0, end)) + std::string(kMark);
}

std::optional<double> parse_percent(std::string_view text) {
  if (!text.ends_with('%')) return std::nullopt;
  text.remove_suffix(1);
  if (!is_decimal(text, 2, 4)) return std::nullopt;
  // Counted in millionths, so that the one rounding is that of the division.
  int millionths = 0;
  int scale = 10'000;
  bool decimals = false;
  for (const char c : text) {
    if (c == '.') {
      decimals = true;
    } else if (decimals) {
      scale /= 10;
      millionths += (c - '0') * scale;
    } else {
      millionths = millionths * 10 + (c - '0') * scale;
    }
  }
  return millionths / 1e6;
}

std::optional<int> parse_whole_percent(std::string_view text) {
  if (text == "100%") return 100;
  if (!text.ends_with('%')) return std::nullopt;
  text.remove_suffix(1);
  if (!is_whole_number(text, 2)) return std::nullopt;
  int value = 0;
  for (const char c : text) value = value * 10 + (c - '0');
  return value;
}

std::optional<double> parse_decimal(std::string_view text) {
  const auto digits = text.starts_with('-') ? text.substr(1) : text;
  if (!is_decimal(digits, 15, 9)) return std::nullopt;
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc()) return std::nullopt;
  return value;
}

}  // namespace weir
