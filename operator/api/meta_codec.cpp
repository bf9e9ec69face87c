#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/codec.h"
#include "api/condition_codec.h"
#include "api/text_rules.h"
#include "base/time_format.h"

namespace weir {
namespace {

constexpr std::size_t kMaxConditions = 16;
constexpr std::size_t kMaxType = 316;  // bytes
constexpr std::size_t kMaxReason = 1024;
constexpr std::size_t kMaxMessage = 8192;

std::map<std::string, std::string, std::less<>> our_marks(const Json& all) {
  std::map<std::string, std::string, std::less<>> ours;
  if (!all.is_object()) return ours;
  for (const auto& [key, value] : all.items())
    if (key.starts_with(marks::kPrefix) && value.is_string())
      ours.emplace(key, value.get<std::string>());
  return ours;
}

void read_owner(const Json& owners, ObjectMeta& meta) {
  if (!owners.is_array()) return;
  for (const Json& owner : owners) {
    const Json& controller = json_at(owner, {"controller"});
    if (!controller.is_boolean() || !controller.get<bool>()) continue;
    meta.owner_uid = json_text(owner, {"uid"});
    meta.owner_name = json_text(owner, {"name"});
    meta.owner_kind = json_text(owner, {"kind"});
    return;
  }
}

Condition decode_condition(const Json& json) {
  Condition condition;
  condition.type = json_text(json, {"type"});
  condition.status = json_text(json, {"status"}, "Unknown");
  condition.reason = json_text(json, {"reason"});
  condition.message = json_text(json, {"message"});
  condition.observed_generation = json_int(json, {"observedGeneration"});
  const auto time = parse_time(json_text(json, {"lastTransitionTime"}));
  if (time) condition.last_transition = *time;
  return condition;
}

}  // namespace

Result<ObjectMeta> decode_meta(const Json& object) {
  const Json& json = json_at(object, {"metadata"});
  ObjectMeta meta;
  meta.key = {json_text(json, {"namespace"}), json_text(json, {"name"})};
  if (meta.key.name.empty())
    return Error{ErrorKind::Parse, "metadata.name: missing, must be the object's name"};
  meta.uid = json_text(json, {"uid"});
  meta.resource_version = json_text(json, {"resourceVersion"});
  meta.generation = json_int(json, {"generation"});
  meta.deleting = !json_at(json, {"deletionTimestamp"}).is_null();
  const auto created = parse_time(json_text(json, {"creationTimestamp"}));
  if (created) meta.created = *created;
  read_owner(json_at(json, {"ownerReferences"}), meta);
  meta.labels = our_marks(json_at(json, {"labels"}));
  meta.annotations = our_marks(json_at(json, {"annotations"}));
  return meta;
}

std::vector<Condition> decode_conditions(const Json& list) {
  std::vector<Condition> conditions;
  if (!list.is_array()) return conditions;
  for (const Json& item : list) {
    auto condition = decode_condition(item);
    const bool known =
        std::any_of(conditions.begin(), conditions.end(),
                    [&](const Condition& other) { return other.type == condition.type; });
    if (!condition.type.empty() && !known) conditions.push_back(std::move(condition));
  }
  return conditions;
}

Json encode_condition(const Condition& condition) {
  Json json = Json::object();
  json["type"] = clip(condition.type, kMaxType);
  const bool known = condition.status == "True" || condition.status == "False";
  json["status"] = known ? condition.status : "Unknown";
  json["reason"] = clip(condition.reason, kMaxReason);
  json["message"] = clip(condition.message, kMaxMessage);
  json["observedGeneration"] = condition.observed_generation;
  json["lastTransitionTime"] = format_time(condition.last_transition);
  return json;
}

Json encode_conditions(const std::vector<Condition>& conditions) {
  Json list = Json::array();
  for (const auto& condition : conditions)
    if (list.size() < kMaxConditions) list.push_back(encode_condition(condition));
  return list;
}

}  // namespace weir
