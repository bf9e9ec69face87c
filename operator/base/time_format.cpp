#include "base/time_format.h"

#include <fmt/format.h>

#include <array>
#include <cctype>

namespace weir {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;

Error bad_time(std::string_view text) {
  return Error{ErrorKind::Parse, fmt::format("\"{}\" is not an RFC 3339 time", text)};
}

// Reads exactly `width` digits at `pos`; -1 when they are not digits.
int digits(std::string_view text, std::size_t pos, std::size_t width) {
  if (pos + width > text.size()) return -1;
  int value = 0;
  for (std::size_t i = pos; i < pos + width; ++i) {
    if (std::isdigit(static_cast<unsigned char>(text[i])) == 0) return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

// The fraction after the seconds, as microseconds; moves `pos` behind it. A point without digits stays in the way.
microseconds fraction(std::string_view text, std::size_t& pos) {
  if (digits(text, pos + 1, 1) < 0 || text[pos] != '.') return microseconds(0);
  ++pos;
  int scale = 100'000;
  int micros = 0;
  while (pos < text.size() && std::isdigit(static_cast<unsigned char>(text[pos])) != 0) {
    micros += (text[pos++] - '0') * scale;
    scale /= 10;
  }
  return microseconds(micros);
}

Result<minutes> offset(std::string_view text, std::size_t pos) {
  if (text.substr(pos) == "Z" || text.substr(pos) == "z") return minutes(0);
  if (text.size() != pos + 6 || (text[pos] != '+' && text[pos] != '-') || text[pos + 3] != ':')
    return bad_time(text);
  const int h = digits(text, pos + 1, 2);
  const int m = digits(text, pos + 4, 2);
  if (h < 0 || h > 23 || m < 0 || m > 59) return bad_time(text);
  const auto span = hours(h) + minutes(m);
  return text[pos] == '+' ? minutes(span) : -minutes(span);
}

std::string format_date_and_time(WallTime time) {
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

}  // namespace

std::string format_time(WallTime time) { return format_date_and_time(time) + "Z"; }

std::string format_time_micro(WallTime time) {
  const auto micros = (time - std::chrono::floor<std::chrono::seconds>(time)).count();
  return format_date_and_time(time) + fmt::format(".{:06}Z", micros);
}

Result<WallTime> parse_time(std::string_view text) {
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' ||
      (text[10] != 'T' && text[10] != 't') || text[13] != ':' || text[16] != ':')
    return bad_time(text);
  const int year = digits(text, 0, 4);
  const int month = digits(text, 5, 2);
  const int day = digits(text, 8, 2);
  const int hour = digits(text, 11, 2);
  const int minute = digits(text, 14, 2);
  const int second = digits(text, 17, 2);
  if (year < 0 || month < 0 || day < 0 || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
      second < 0 || second > 60)
    return bad_time(text);
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return bad_time(text);
  std::size_t pos = 19;
  const auto micros = fraction(text, pos);
  ASSIGN_OR_RETURN(const auto shift, offset(text, pos));
  return WallTime(std::chrono::sys_days(date)) + hours(hour) + minutes(minute) + seconds(second) +
         micros - shift;
}

Result<milliseconds> parse_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    std::int64_t milliseconds;
  };
  static constexpr std::array<Unit, 4> kUnits{
      {{"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};
  const Error bad{
      ErrorKind::Invalid,
      fmt::format("\"{}\" is not a duration; write it like 30s, 2m, 1h30m or 250ms", text)};
  std::size_t pos = 0;
  std::size_t next_unit = 0;
  std::int64_t total = 0;
  if (text.empty()) return bad;
  while (pos < text.size()) {
    std::int64_t number = 0;
    const std::size_t first = pos;
    while (pos < text.size() && pos - first <= 5 &&
           std::isdigit(static_cast<unsigned char>(text[pos])) != 0)
      number = number * 10 + (text[pos++] - '0');
    if (pos == first || pos - first > 5) return bad;
    std::size_t end = pos;
    while (end < text.size() && std::isalpha(static_cast<unsigned char>(text[end])) != 0) ++end;
    const auto name = text.substr(pos, end - pos);
    while (next_unit < kUnits.size() && kUnits[next_unit].name != name) ++next_unit;
    if (next_unit == kUnits.size()) return bad;
    total += number * kUnits[next_unit++].milliseconds;
    pos = end;
  }
  return milliseconds(total);
}

std::string format_duration(milliseconds duration) {
  auto left = duration.count();
  std::string text;
  const auto take = [&](std::int64_t unit, std::string_view name) {
    if (left >= unit) text += fmt::format("{}{}", left / unit, name);
    left %= unit;
  };
  take(3'600'000, "h");
  take(60'000, "m");
  take(1000, "s");
  take(1, "ms");
  return text.empty() ? "0s" : text;
}

}  // namespace weir
