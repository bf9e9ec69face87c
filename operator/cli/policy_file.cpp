#include "cli/policy_file.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <istream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "api/codec.h"
#include "api/object_check.h"
#include "kube/kinds.h"
#include "kube/token_file.h"
#include "kube/yaml_json.h"

namespace weir {
namespace {

Error wrong(std::string message) { return {ErrorKind::Invalid, std::move(message)}; }

Result<std::string> read_text(const std::string& file, std::istream& in) {
  if (file != "-") {
    auto text = read_text_file(file, kMaxYamlBytes);
    // A file that was named and is not there is a failure, not "not found" of the cluster.
    if (!text) return wrong(text.error().message);
    return text;
  }
  std::string text;
  for (std::istreambuf_iterator<char> at(in), end; at != end && text.size() <= kMaxYamlBytes; ++at)
    text += *at;
  return text;
}

bool is_policy(const Json& object) {
  return json_text(object, {"kind"}) == kinds::kCanaryPolicy.name &&
         json_text(object, {"apiVersion"}) == kinds::kCanaryPolicy.api_version();
}

// Also those inside of a List.
void gather(const Json& object, std::vector<Json>& policies) {
  if (is_policy(object)) policies.push_back(object);
  const Json& items = json_at(object, {"items"});
  if (json_text(object, {"kind"}) != "List" || !items.is_array()) return;
  for (const auto& item : items)
    if (is_policy(item)) policies.push_back(item);
}

Result<Json> choose(const std::vector<Json>& policies, const std::string& wanted) {
  std::string names;
  const Json* chosen = nullptr;
  for (const auto& policy : policies) {
    const auto name = json_text(policy, {"metadata", "name"});
    names += (names.empty() ? "" : ", ") + name;
    if (wanted.empty() || name == wanted) chosen = &policy;
  }
  if (policies.empty()) return wrong("found no CanaryPolicy of weir.dev/v1alpha1");
  if (!chosen) return wrong(fmt::format("found no CanaryPolicy {}, only {}", wanted, names));
  if (wanted.empty() && policies.size() > 1)
    return wrong(fmt::format("found several, say which with --policy: {}", names));
  return *chosen;
}

Result<NamedPolicy> policy_of(const std::string& text, const std::string& wanted) {
  ASSIGN_OR_RETURN(const auto documents, parse_yaml(text));
  std::vector<Json> policies;
  for (const auto& document : documents) gather(document.json, policies);
  ASSIGN_OR_RETURN(const Json object, choose(policies, wanted));
  const auto faults = check_object(object);
  if (!faults.empty())
    return wrong(fmt::format("{}: {}{}", faults.front().path, faults.front().what,
                             faults.size() > 1 ? " (and more: weir lint)" : ""));
  ASSIGN_OR_RETURN(const auto policy, decode_policy(object));
  if (!policy.spec) return policy.spec.error();
  return NamedPolicy{policy.meta.key.name, *policy.spec};
}

}  // namespace

Result<NamedPolicy> read_policy_file(const Invocation& invocation) {
  const auto file = invocation.arguments.value("filename");
  ASSIGN_OR_RETURN(const auto text, read_text(file, invocation.streams.in));
  auto policy = policy_of(text, invocation.arguments.value("policy"));
  if (policy) return policy;
  return Error{policy.error().kind, fmt::format("{}: {}", file, policy.error().message)};
}

Result<std::optional<double>> read_number(const Arguments& arguments, std::string_view flag) {
  if (!arguments.has(flag)) return std::optional<double>();
  const auto text = arguments.value(flag);
  double number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = read.ec == std::errc() && read.ptr == text.data() + text.size();
  if (!whole || !std::isfinite(number))
    return wrong(fmt::format("--{}: found \"{}\", must be a number", flag, text));
  return std::optional(number);
}

std::string rough_duration(double in_seconds) {
  const auto whole = std::llround(in_seconds);
  constexpr long long kMinute = 60;
  constexpr long long kHour = 3600;
  if (whole < kMinute) return fmt::format("{}s", whole);
  const auto small = whole < kHour ? kMinute : kHour;
  const auto rest = whole < kHour ? whole % kMinute : whole % kHour / kMinute;
  auto text = fmt::format("{}{}", whole / small, whole < kHour ? "m" : "h");
  if (rest > 0) text += fmt::format("{}{}", rest, whole < kHour ? "s" : "m");
  return text;
}

}  // namespace weir
