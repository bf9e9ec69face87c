// What texts may look like in our fields. Each rule equals a `pattern` in crds/ (a test compares them). Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace weir {

struct TextRule {
  std::size_t max = 0;  // characters (code points), as maxLength counts
  bool (*matches)(std::string_view) = nullptr;
  std::string_view allowed;  // completes "must be …"
};

namespace text_rules {
extern const TextRule kLabel;        // DNS-1123 label
extern const TextRule kServiceName;  // DNS-1035 label
extern const TextRule kReleaseName;  // DNS-1035 label, short enough for "-<revision>"
extern const TextRule kSubdomain;    // DNS-1123 subdomain
extern const TextRule kGroup;        // API group; "" is core
extern const TextRule kKind;
extern const TextRule kHostname;  // perhaps with "*." in front
extern const TextRule kPortName;  // IANA service name
extern const TextRule kAppProtocol;
extern const TextRule kImage;
extern const TextRule kUrl;
extern const TextRule kQuery;
extern const TextRule kDuration;
}  // namespace text_rules

std::size_t count_characters(std::string_view utf8);

// At most `max` bytes, cut between characters, with "…" at the end when something was cut.
std::string clip(std::string_view utf8, std::size_t max);

// "5%", "0.1%": 0 to 99.9999 percent, at most 4 decimals, as a fraction.
std::optional<double> parse_percent(std::string_view text);

// "0%" to "100%", no decimals.
std::optional<int> parse_whole_percent(std::string_view text);

// "1000", "-0.5": at most 15 digits before and 9 after the point; no exponent, no suffix.
std::optional<double> parse_decimal(std::string_view text);

}  // namespace weir
