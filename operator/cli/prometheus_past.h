#pragma once

#include <string>
#include <vector>

#include "api/canary_policy.h"
#include "base/clock.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "net/http.h"
#include "replay/recording.h"

namespace weir {

inline constexpr std::size_t kMaxAnswerBytes = std::size_t{32} << 20U;
inline constexpr int kMaxPastQueries = 5000;

// --prometheus, --release, --from … of `weir backtest`.
std::vector<Flag> prometheus_flags();

// What `arguments` say is wanted of Prometheus. `now`: the end when --to is not given.
struct PastWish {
  std::string url;
  ObjectKey release;
  HistorySpan span;
  milliseconds step{0};
  std::vector<std::string> revisions;  // empty: those that Prometheus knows
};
// Error: Invalid, naming the flag.
Result<PastWish> read_past_wish(const Arguments& arguments, WallTime now);

// With the credentials of the flags. Errors: Invalid; those of make_httplib_client.
Result<std::unique_ptr<HttpClient>> prometheus_client(const Arguments& arguments,
                                                      const std::string& url);

struct RecordedPast {
  Recording recording;
  std::string text;  // the same as a file for --recording; "" unless it was asked for
};
// Asks one question after the other. Errors: those of the HttpClient, of Prometheus, and of a recording.
Result<RecordedPast> record_past(const CanaryPolicySpec& policy, const PastWish& wish,
                                 HttpClient& http, const Clock& clock, bool with_text);

}  // namespace weir
