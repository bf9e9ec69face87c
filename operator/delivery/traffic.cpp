#include "delivery/traffic.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/time_format.h"

namespace weir {
namespace {

std::optional<WallTime> time_at(const Json& json, std::string_view key) {
  const auto text = json_text(json, {key});
  if (text.empty()) return std::nullopt;
  auto time = parse_time(text);
  return time ? std::optional(*time) : std::nullopt;
}

}  // namespace

std::string encode_traffic(const Traffic& traffic) {
  Json json{{"stable", traffic.stable}};
  if (!traffic.canary.empty()) {
    json["canary"] = traffic.canary;
    json["weight"] = traffic.weight;
    if (traffic.raised) json["raised"] = format_time_micro(*traffic.raised);
  }
  if (!traffic.previous.empty()) json["previous"] = traffic.previous;
  if (traffic.promoted) json["promoted"] = format_time_micro(*traffic.promoted);
  if (traffic.waived > 0) json["waived"] = traffic.waived;
  if (traffic.paused) json["paused"] = true;
  if (!traffic.returning.empty()) json["returning"] = traffic.returning;
  if (!traffic.request.empty()) json["request"] = traffic.request;
  if (const auto& rollback = traffic.rollback) {
    Json mark{{"revision", rollback->revision},
              {"reason", rollback->reason},
              {"message", rollback->message},
              {"at", format_time_micro(rollback->at)}};
    if (rollback->bad_since) mark["badSince"] = format_time_micro(*rollback->bad_since);
    json["rollback"] = std::move(mark);
  }
  return dump_json(json);
}

Result<Traffic> decode_traffic(const std::string& memo) {
  if (memo.empty()) return Error{ErrorKind::Parse, "there is no traffic memo"};
  ASSIGN_OR_RETURN(const Json json, parse_json(memo));
  Traffic traffic;
  traffic.stable = json_text(json, {"stable"});
  traffic.canary = json_text(json, {"canary"});
  traffic.weight = static_cast<int>(json_int(json, {"weight"}));
  traffic.raised = time_at(json, "raised");
  traffic.previous = json_text(json, {"previous"});
  traffic.promoted = time_at(json, "promoted");
  traffic.waived = static_cast<int>(json_int(json, {"waived"}));
  traffic.paused = json_at(json, {"paused"}) == true;
  traffic.returning = json_text(json, {"returning"});
  traffic.request = json_text(json, {"request"});
  const Json& mark = json_at(json, {"rollback"});
  if (mark.is_object()) {
    traffic.rollback = RollbackMark{json_text(mark, {"revision"}), json_text(mark, {"reason"}),
                                    json_text(mark, {"message"}), time_at(mark, "badSince"),
                                    time_at(mark, "at").value_or(WallTime{})};
  }
  if (traffic.stable.empty() || traffic.weight < 0 || traffic.weight > 100 ||
      (traffic.canary.empty() && traffic.weight != 0))
    return Error{ErrorKind::Parse, "the traffic memo makes no sense: " + memo};
  return traffic;
}

}  // namespace weir
