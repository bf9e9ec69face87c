#include "base/base64.h"

#include <algorithm>
#include <cstdint>

namespace weir {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string encode_base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k)
      bits = (bits << 8U) | (k < left ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      out += k <= left ? kAlphabet[(bits >> (18U - 6U * k)) & 0x3fU] : '=';
  }
  return out;
}

std::optional<std::string> decode_base64(std::string_view text) {
  std::string out;
  out.reserve(text.size() / 4 * 3);
  std::uint32_t bits = 0;
  int digits = 0;
  int padding = 0;
  for (const char c : text) {
    if (c == '\n' || c == '\r') continue;
    std::size_t value = 0;
    if (c == '=') {
      if (++padding > 2) return std::nullopt;
    } else {
      value = kAlphabet.find(c);
      if (value == std::string_view::npos || padding > 0) return std::nullopt;
    }
    bits = (bits << 6U) | static_cast<std::uint32_t>(value);
    if (++digits % 4 != 0) continue;
    for (int byte = 2; byte >= padding; --byte)
      out += static_cast<char>((bits >> (8U * static_cast<unsigned>(byte))) & 0xffU);
    bits = 0;
  }
  if (digits % 4 != 0) return std::nullopt;
  return out;
}

}  // namespace weir
