#include "pipeline/step_contract.h"

#include <nlohmann/json.hpp>

#include "api/text_rules.h"
#include "base/json.h"

namespace weir {
namespace {

constexpr std::size_t kMaxWords = 256;  // bytes

}  // namespace

StepMessage decode_step_message(const std::string& text) {
  StepMessage message;
  const auto json = parse_json(text);
  if (!json || !json->is_object()) {
    message.error = clip(text, kMaxWords);
    return message;
  }
  const Json& results = json_at(*json, {"results"});
  if (results.is_object())
    for (const auto& [name, value] : results.items())
      if (value.is_string()) message.results[name] = value.get<std::string>();
  message.reports = decode_reports(json_at(*json, {"reports"}));
  message.timeout = clip(json_text(*json, {"timeout"}), kMaxWords);
  message.error = clip(json_text(*json, {"error"}), kMaxWords);
  const auto failure = json_text(*json, {"class"});
  for (const auto known : kFailureClasses)
    if (to_string(known) == failure) message.failure = known;
  return message;
}

}  // namespace weir
