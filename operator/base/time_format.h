// Times and durations as Kubernetes writes them.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace weir {

// RFC 3339 in UTC: "2026-11-21T13:19:55Z", as metav1.Time does (whole seconds).
std::string format_time(WallTime time);
// With microseconds: "2026-11-21T13:19:55.123456Z", as metav1.MicroTime does.
std::string format_time_micro(WallTime time);
// Accepts any number of fraction digits and any offset. Error kind: Parse.
Result<WallTime> parse_time(std::string_view text);

// Durations as Gateway API writes them (GEP-2257): one to four of h, m, s, ms, each once, in that order, at most five digits
// each: "30s", "1h30m", "250ms". Error kind: Invalid, naming what was found and what is allowed.
Result<milliseconds> parse_duration(std::string_view text);
std::string format_duration(milliseconds duration);

}  // namespace weir
