#include <gtest/gtest.h>

#include <array>

#include "base/time_format.h"

namespace weir {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;

WallTime at(int year, unsigned month, unsigned day) {
  return std::chrono::sys_days(std::chrono::year(year) / std::chrono::month(month) /
                               std::chrono::day(day));
}

TEST(FormatTime, WritesWholeSecondsInUtc) {
  EXPECT_EQ(format_time(at(2026, 11, 21) + hours(13) + minutes(19) + seconds(55)),
            "2026-11-21T13:19:55Z");
  EXPECT_EQ(format_time(WallTime{}), "1970-01-01T00:00:00Z");
  EXPECT_EQ(format_time(at(1969, 12, 31) + hours(23)), "1969-12-31T23:00:00Z");
}

TEST(FormatTime, CutsTheFractionOff) {
  EXPECT_EQ(format_time(WallTime(microseconds(1'999'999))), "1970-01-01T00:00:01Z");
}

TEST(FormatTime, WritesMicrosecondsWithAllDigits) {
  EXPECT_EQ(format_time_micro(WallTime(microseconds(1'000'042))), "1970-01-01T00:00:01.000042Z");
  EXPECT_EQ(format_time_micro(WallTime(microseconds(-1))), "1969-12-31T23:59:59.999999Z");
}

TEST(ParseTime, ReadsWhatFormatTimeWrites) {
  for (const auto time : {WallTime{}, at(2000, 2, 29), at(2026, 11, 21) + microseconds(123'456),
                          at(9999, 12, 31) + hours(23)}) {
    EXPECT_EQ(*parse_time(format_time_micro(time)), time);
  }
}

TEST(ParseTime, ReadsFractionsAndOffsets) {
  const auto noon = at(2026, 11, 21) + hours(12);
  EXPECT_EQ(*parse_time("2026-11-21T12:00:00Z"), noon);
  EXPECT_EQ(*parse_time("2026-11-21t12:00:00z"), noon);
  EXPECT_EQ(*parse_time("2026-11-21T14:00:00+02:00"), noon);
  EXPECT_EQ(*parse_time("2026-11-21T06:30:00-05:30"), noon);
  EXPECT_EQ(*parse_time("2026-11-22T00:00:00+12:00"), noon);
  EXPECT_EQ(*parse_time("2026-11-21T12:00:00.5Z"), noon + milliseconds(500));
  EXPECT_EQ(*parse_time("2026-11-21T12:00:00.123456789Z"), noon + microseconds(123'456));
  EXPECT_EQ(*parse_time("2026-11-21T13:00:00.000001+01:00"), noon + microseconds(1));
}

TEST(ParseTime, RefusesAllElse) {
  for (const char* text : {"",
                           "2026-11-21",
                           "2026-11-21T12:00:00",
                           "2026-11-21 12:00:00Z",
                           "2026-11-21T12:00Z",
                           "2026-13-21T12:00:00Z",
                           "2026-00-21T12:00:00Z",
                           "2026-02-30T12:00:00Z",
                           "2025-02-29T12:00:00Z",
                           "2026-11-21T24:00:00Z",
                           "2026-11-21T12:60:00Z",
                           "2026-11-21T12:00:61Z",
                           "2026-11-21T12:00:00.Z",
                           "2026-11-21T12:00:00.5",
                           "2026-11-21T12:00:00Zx",
                           "2026-11-21T12:00:00+0200",
                           "2026-11-21T12:00:00+24:00",
                           "2026-11-21T12:00:00+02:60",
                           "2026-11-21T12:00:00*02:00",
                           "x026-11-21T12:00:00Z",
                           "2026-11-21T12:00:00,5Z",
                           "-026-11-21T12:00:00Z",
                           " 2026-11-21T12:00:00Z"}) {
    const auto time = parse_time(text);
    ASSERT_FALSE(time) << text;
    EXPECT_EQ(time.error().kind, ErrorKind::Parse);
  }
}

TEST(ParseDuration, ReadsOneToFourUnits) {
  EXPECT_EQ(*parse_duration("30s"), seconds(30));
  EXPECT_EQ(*parse_duration("0s"), seconds(0));
  EXPECT_EQ(*parse_duration("250ms"), milliseconds(250));
  EXPECT_EQ(*parse_duration("1h30m"), minutes(90));
  EXPECT_EQ(*parse_duration("1h2m3s4ms"), milliseconds(3'723'004));
  EXPECT_EQ(*parse_duration("99999h"), hours(99'999));
  EXPECT_EQ(*parse_duration("00010s"), seconds(10));
  EXPECT_EQ(*parse_duration("1m5ms"), milliseconds(60'005));
}

TEST(ParseDuration, RefusesAllElse) {
  for (const char* text :
       {"", "30", "s", "-30s", "+30s", "1.5s", "30 s", "1d", "1H", "100000s", "1s1s", "1m1h",
        "1ms1s", "1h 30m", "30sx", "1h2m3s4ms5ms", "\xc2\xb5s"}) {
    const auto duration = parse_duration(text);
    ASSERT_FALSE(duration) << text;
    EXPECT_EQ(duration.error().kind, ErrorKind::Invalid);
    EXPECT_NE(duration.error().message.find(text), std::string::npos);
  }
}

TEST(FormatDuration, WritesTheShortestForm) {
  EXPECT_EQ(format_duration(milliseconds(0)), "0s");
  EXPECT_EQ(format_duration(seconds(30)), "30s");
  EXPECT_EQ(format_duration(minutes(90)), "1h30m");
  EXPECT_EQ(format_duration(milliseconds(3'723'004)), "1h2m3s4ms");
  EXPECT_EQ(format_duration(days(2)), "48h");
}

TEST(FormatDuration, IsReadBack) {
  for (const std::int64_t span : {1LL, 999LL, 1000LL, 61'001LL, 3'600'000LL, 86'399'999LL}) {
    EXPECT_EQ(*parse_duration(format_duration(milliseconds(span))), milliseconds(span));
  }
}

}  // namespace
}  // namespace weir
