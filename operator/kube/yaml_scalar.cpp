#include "kube/yaml_scalar.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

namespace weir {
namespace {

constexpr std::array<std::string_view, 5> kNulls{"", "~", "null", "Null", "NULL"};
constexpr std::array<std::string_view, 3> kTrues{"true", "True", "TRUE"};
constexpr std::array<std::string_view, 3> kFalses{"false", "False", "FALSE"};
constexpr std::array<std::string_view, 16> kOldBooleans{"y",  "Y",   "yes", "Yes", "YES", "n",
                                                        "N",  "no",  "No",  "NO",  "on",  "On",
                                                        "ON", "off", "Off", "OFF"};

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& words, std::string_view text) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

std::string_view without_sign(std::string_view text) {
  return text.starts_with('-') || text.starts_with('+') ? text.substr(1) : text;
}

// (\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
bool is_float(std::string_view text) {
  text = without_sign(text);
  const auto exponent = std::min(text.find_first_of("eE"), text.size());
  if (exponent < text.size() && !all_digits(without_sign(text.substr(exponent + 1)))) return false;
  text = text.substr(0, exponent);
  const auto point = std::min(text.find('.'), text.size());
  const auto whole = text.substr(0, point);
  const auto fraction = point < text.size() ? text.substr(point + 1) : std::string_view();
  if (whole.empty()) return all_digits(fraction);
  return all_digits(whole) && (fraction.empty() || all_digits(fraction));
}

bool is_not_finite(std::string_view text) {
  const auto word = without_sign(text);
  return word == ".inf" || word == ".Inf" || word == ".INF" || text == ".nan" || text == ".NaN" ||
         text == ".NAN";
}

Error no_number(std::string_view text) {
  return Error{ErrorKind::Parse, fmt::format("{} is no number that JSON can hold", text)};
}

// Digits of a base; too large a number becomes a float, as in JSON.
Result<Json> whole_number(std::string_view digits, int base, bool negative) {
  std::uint64_t value = 0;
  const char* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, value, base);
  constexpr auto kLargest = static_cast<std::uint64_t>(INT64_MAX);
  if (read.ec == std::errc::result_out_of_range || (negative && value > kLargest)) {
    double large = 0;
    if (base != 10 || std::from_chars(digits.data(), end, large).ec != std::errc())
      return no_number(digits);
    return Json(negative ? -large : large);
  }
  if (negative) return Json(-static_cast<std::int64_t>(value));
  return value > kLargest ? Json(value) : Json(static_cast<std::int64_t>(value));
}

Result<Json> float_number(std::string_view text) {
  const auto digits = text.starts_with('+') ? text.substr(1) : text;
  double value = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (read.ec != std::errc()) return no_number(text);
  return Json(value);
}

bool has_digits_of(std::string_view text, std::string_view prefix, std::string_view digits) {
  return text.size() > prefix.size() && text.starts_with(prefix) &&
         text.find_first_not_of(digits, prefix.size()) == std::string_view::npos;
}

}  // namespace

Result<Json> plain_scalar(const std::string& text) {
  if (is_one_of(kNulls, text)) return Json();
  if (is_one_of(kTrues, text)) return Json(true);
  if (is_one_of(kFalses, text)) return Json(false);
  if (has_digits_of(text, "0o", "01234567")) return whole_number(text.substr(2), 8, false);
  if (has_digits_of(text, "0x", "0123456789abcdefABCDEF"))
    return whole_number(text.substr(2), 16, false);
  if (all_digits(without_sign(text)))
    return whole_number(without_sign(text), 10, text.starts_with('-'));
  if (is_float(text)) return float_number(text);
  if (is_not_finite(text)) return no_number(text);
  return Json(text);
}

Result<Json> tagged_scalar(std::string_view tag, const std::string& text) {
  constexpr std::string_view kOurs = "tag:yaml.org,2002:";
  const auto type = tag.starts_with(kOurs) ? tag.substr(kOurs.size()) : std::string_view();
  if (type == "str") return Json(text);
  ASSIGN_OR_RETURN(auto value, plain_scalar(text));
  const bool fits = (type == "null" && value.is_null()) || (type == "bool" && value.is_boolean()) ||
                    (type == "int" && value.is_number_integer()) ||
                    (type == "float" && value.is_number());
  if (fits) return value;
  if (type == "null" || type == "bool" || type == "int" || type == "float")
    return Error{ErrorKind::Parse, fmt::format("\"{}\" is no {}", text, type)};
  return Error{ErrorKind::Parse, fmt::format("the tag {} is unknown", tag)};
}

bool is_doubtful_scalar(std::string_view text) {
  if (is_one_of(kOldBooleans, text)) return true;
  const auto digits = without_sign(text);
  if (digits.size() > 1 && digits[0] == '0' && all_digits(digits)) return true;
  if (digits.starts_with("0b")) return true;
  // Digit groups: 1_000
  return !digits.empty() && is_digit(digits[0]) && digits.find('_') != std::string_view::npos &&
         digits.find_first_not_of("0123456789_.") == std::string_view::npos;
}

bool may_stand_plain(std::string_view text) {
  const auto is_plain = [](char c) {
    return is_letter(c) || is_digit(c) ||
           std::string_view("_./@:-").find(c) != std::string_view::npos;
  };
  const auto is_word = [&](const auto& words) {
    return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
      return std::equal(word.begin(), word.end(), text.begin(), text.end(), [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) ==
               std::tolower(static_cast<unsigned char>(b));
      });
    });
  };
  return !text.empty() && is_letter(text.front()) && text.back() != ':' &&
         std::all_of(text.begin(), text.end(), is_plain) && !is_word(kNulls) && !is_word(kTrues) &&
         !is_word(kFalses) && !is_word(kOldBooleans);
}

}  // namespace weir
