#include "sim/server/list_page.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/base64.h"

namespace weir::sim {
namespace {

// RFC 4648 section 5, without padding.
std::string encode_base64_url(std::string_view text) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : text) {
    bits = (bits << 8U) | static_cast<unsigned char>(c);
    for (held += 8; held >= 6; held -= 6) out += kAlphabet[(bits >> (held - 6)) & 63U];
  }
  if (held > 0) out += kAlphabet[(bits << (6 - held)) & 63U];
  return out;
}

std::optional<std::string> decode_base64_url(std::string text) {
  for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
  while (text.size() % 4 != 0) text += '=';
  return decode_base64(text);
}

}  // namespace

std::string encode_continue(const ContinueToken& token) {
  return encode_base64_url(
      dump_json(Json{{"v", "meta.k8s.io/v1"},
                     {"rv", token.version},
                     {"start", fmt::format("/{}/{}", token.after.ns, token.after.name)}}));
}

Answer<ContinueToken> decode_continue(const std::string& text) {
  const auto unreadable = [] {
    return bad_request("invalid continue token: continue key is not valid");
  };
  const auto decoded = decode_base64_url(text);
  if (!decoded) return unreadable();
  const auto json = parse_json(*decoded);
  if (!json) return unreadable();
  auto start = json_text(*json, {"start"});
  // The real one marks with a zero that the key itself has been shown.
  while (!start.empty() && start.back() == '\0') start.pop_back();
  const auto slash = start.find('/', 1);
  const auto version = json_int(*json, {"rv"});
  if (slash == std::string::npos || version <= 0) return unreadable();
  return ContinueToken{static_cast<std::uint64_t>(version),
                       {start.substr(1, slash - 1), start.substr(slash + 1)}};
}

}  // namespace weir::sim
