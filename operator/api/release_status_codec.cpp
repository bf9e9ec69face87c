#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/codec.h"
#include "api/condition_codec.h"
#include "api/lenient.h"
#include "api/text_rules.h"
#include "base/time_format.h"

namespace weir {
namespace {

// As in the schema: the server refuses a status that is larger, and with it all that we would remember.
constexpr std::size_t kMaxMessage = 4096;  // bytes
constexpr std::size_t kMaxText = 253;
constexpr std::size_t kMaxRevisions = 64;
constexpr std::size_t kMaxJudgements = 32;
constexpr std::size_t kMaxHistory = 50;
constexpr std::size_t kMaxRequests = 5;

constexpr Phase kPhases[] = {Phase::Pending,          Phase::Progressing, Phase::Paused,
                             Phase::AwaitingApproval, Phase::Healthy,     Phase::RollingBack,
                             Phase::RolledBack,       Phase::Degraded};

using TimeFormat = std::string (*)(WallTime);

void put_time(Json& json, const char* name, const std::optional<WallTime>& time,
              TimeFormat format) {
  if (time) json[name] = format(*time);
}

void put_text(Json& json, const char* name, std::string_view text, std::size_t max) {
  if (!text.empty()) json[name] = clip(text, max);
}

Phase phase_of(const Json& json) {
  const auto text = json_text(json, {"phase"});
  const auto* found = std::find_if(std::begin(kPhases), std::end(kPhases),
                                   [&](Phase phase) { return to_string(phase) == text; });
  return found == std::end(kPhases) ? Phase::Pending : *found;
}

// The items of a list, as far as `decode` can read them.
template <typename T>
std::vector<T> decode_list(const Json& list, std::optional<T> (*decode)(const Json&)) {
  std::vector<T> items;
  if (!list.is_array()) return items;
  for (const Json& json : list)
    if (auto item = decode(json)) items.push_back(*std::move(item));
  return items;
}

template <typename T>
void put_list(Json& status, const char* name, const std::vector<T>& items, std::size_t max,
              Json (*encode)(const T&)) {
  if (items.empty()) return;
  Json list = Json::array();
  for (const auto& item : items)
    if (list.size() < max) list.push_back(encode(item));
  status[name] = std::move(list);
}

std::optional<StableStatus> decode_stable(const Json& json) {
  if (json_text(json, {"revision"}).empty()) return std::nullopt;
  return StableStatus{json_text(json, {"revision"}), small_int(json, {"replicas"}),
                      small_int(json, {"ready"})};
}

Json encode_stable(const StableStatus& stable) {
  Json json = Json::object();
  json["revision"] = clip(stable.revision, kMaxText);
  json["replicas"] = stable.replicas;
  json["ready"] = stable.ready;
  return json;
}

std::optional<CanaryStatus> decode_canary(const Json& json) {
  if (json_text(json, {"revision"}).empty()) return std::nullopt;
  CanaryStatus canary;
  canary.revision = json_text(json, {"revision"});
  canary.replicas = small_int(json, {"replicas"});
  canary.ready = small_int(json, {"ready"});
  canary.step = small_int(json, {"step"});
  canary.steps = small_int(json, {"steps"});
  canary.weight = small_int(json, {"weight"});
  canary.started = time_at(json, {"started"});
  canary.accepted = time_at(json, {"accepted"});
  canary.since = time_at(json, {"since"});
  return canary;
}

Json encode_canary(const CanaryStatus& canary) {
  Json json = Json::object();
  json["revision"] = clip(canary.revision, kMaxText);
  json["replicas"] = canary.replicas;
  json["ready"] = canary.ready;
  json["step"] = canary.step;
  json["steps"] = canary.steps;
  json["weight"] = canary.weight;
  put_time(json, "started", canary.started, format_time);
  put_time(json, "accepted", canary.accepted, format_time_micro);
  put_time(json, "since", canary.since, format_time_micro);
  return json;
}

std::optional<PromotionStatus> decode_promotion(const Json& json) {
  if (json_text(json, {"revision"}).empty()) return std::nullopt;
  return PromotionStatus{json_text(json, {"revision"}), json_text(json, {"previous"}),
                         time_at(json, {"at"}), time_at(json, {"watchUntil"})};
}

Json encode_promotion(const PromotionStatus& promotion) {
  Json json = Json::object();
  json["revision"] = clip(promotion.revision, kMaxText);
  put_text(json, "previous", promotion.previous, kMaxText);
  put_time(json, "at", promotion.at, format_time_micro);
  put_time(json, "watchUntil", promotion.watch_until, format_time_micro);
  return json;
}

std::optional<WeightStatus> decode_weight(const Json& json) {
  if (json_text(json, {"revision"}).empty()) return std::nullopt;
  return WeightStatus{json_text(json, {"revision"}), small_int(json, {"weight"})};
}

Json encode_weight(const WeightStatus& weight) {
  Json json = Json::object();
  json["revision"] = clip(weight.revision, kMaxText);
  json["weight"] = weight.weight;
  return json;
}

std::optional<IdleStatus> decode_idle(const Json& json) {
  const auto since = time_at(json, {"since"});
  if (json_text(json, {"revision"}).empty() || !since) return std::nullopt;
  return IdleStatus{json_text(json, {"revision"}), *since};
}

Json encode_idle(const IdleStatus& idle) {
  Json json = Json::object();
  json["revision"] = clip(idle.revision, kMaxText);
  json["since"] = format_time_micro(idle.since);
  return json;
}

std::optional<JudgementStatus> decode_judgement(const Json& json) {
  if (json_text(json, {"objective"}).empty()) return std::nullopt;
  JudgementStatus judgement;
  judgement.objective = json_text(json, {"objective"});
  judgement.verdict = json_text(json, {"verdict"});
  judgement.bad = json_int(json, {"bad"});
  judgement.total = json_int(json, {"total"});
  judgement.judged_bad = json_int(json, {"judgedBad"});
  judgement.judged_total = json_int(json, {"judgedTotal"});
  judgement.stable_bad = json_int(json, {"stableBad"});
  judgement.stable_total = json_int(json, {"stableTotal"});
  judgement.interval = json_text(json, {"interval"});
  judgement.evidence = json_text(json, {"evidence"});
  judgement.needed = json_text(json, {"needed"});
  judgement.checkpoint = json_text(json, {"checkpoint"});
  judgement.value = json_text(json, {"value"});
  judgement.bound = json_text(json, {"bound"});
  judgement.message = json_text(json, {"message"});
  judgement.sampled = time_at(json, {"sampled"});
  return judgement;
}

Json encode_judgement(const JudgementStatus& judgement) {
  Json json = Json::object();
  json["objective"] = clip(judgement.objective, kMaxText);
  put_text(json, "verdict", judgement.verdict, kMaxText);
  json["bad"] = judgement.bad;
  json["total"] = judgement.total;
  json["judgedBad"] = judgement.judged_bad;
  json["judgedTotal"] = judgement.judged_total;
  if (judgement.stable_total > 0) {
    json["stableBad"] = judgement.stable_bad;
    json["stableTotal"] = judgement.stable_total;
  }
  put_text(json, "interval", judgement.interval, kMaxText);
  put_text(json, "evidence", judgement.evidence, kMaxText);
  put_text(json, "needed", judgement.needed, kMaxText);
  put_text(json, "checkpoint", judgement.checkpoint, kMaxMessage);
  put_text(json, "value", judgement.value, kMaxText);
  put_text(json, "bound", judgement.bound, kMaxText);
  put_text(json, "message", judgement.message, kMaxMessage);
  put_time(json, "sampled", judgement.sampled, format_time);
  return json;
}

std::optional<RollbackStatus> decode_rollback(const Json& json) {
  if (json_text(json, {"revision"}).empty()) return std::nullopt;
  return RollbackStatus{json_text(json, {"revision"}), json_text(json, {"reason"}),
                        json_text(json, {"message"}), time_at(json, {"at"}),
                        time_at(json, {"badSince"})};
}

Json encode_rollback(const RollbackStatus& rollback) {
  Json json = Json::object();
  json["revision"] = clip(rollback.revision, kMaxText);
  put_text(json, "reason", rollback.reason, kMaxText);
  put_text(json, "message", rollback.message, kMaxMessage);
  put_time(json, "at", rollback.at, format_time_micro);
  put_time(json, "badSince", rollback.bad_since, format_time_micro);
  return json;
}

std::optional<HistoryEntry> decode_history(const Json& json) {
  if (json_text(json, {"revision"}).empty()) return std::nullopt;
  return HistoryEntry{json_text(json, {"revision"}), json_text(json, {"outcome"}),
                      time_at(json, {"started"}), time_at(json, {"finished"}),
                      json_text(json, {"message"})};
}

Json encode_history(const HistoryEntry& entry) {
  Json json = Json::object();
  json["revision"] = clip(entry.revision, kMaxText);
  put_text(json, "outcome", entry.outcome, kMaxText);
  put_time(json, "started", entry.started, format_time);
  put_time(json, "finished", entry.finished, format_time);
  put_text(json, "message", entry.message, kMaxMessage);
  return json;
}

std::optional<RequestStatus> decode_request(const Json& json) {
  if (json_text(json, {"id"}).empty()) return std::nullopt;
  return RequestStatus{json_text(json, {"id"}),      json_text(json, {"request"}),
                       json_text(json, {"by"}),      json_text(json, {"outcome"}),
                       json_text(json, {"message"}), time_at(json, {"answered"})};
}

Json encode_request(const RequestStatus& request) {
  Json json = Json::object();
  json["id"] = clip(request.id, kMaxText);
  put_text(json, "request", request.request, kMaxText);
  put_text(json, "by", request.by, kMaxText);
  put_text(json, "outcome", request.outcome, kMaxText);
  put_text(json, "message", request.message, kMaxMessage);
  put_time(json, "answered", request.answered, format_time);
  return json;
}

}  // namespace

std::string_view to_string(Phase phase) {
  switch (phase) {
    case Phase::Pending: return "Pending";
    case Phase::Progressing: return "Progressing";
    case Phase::Paused: return "Paused";
    case Phase::AwaitingApproval: return "AwaitingApproval";
    case Phase::Healthy: return "Healthy";
    case Phase::RollingBack: return "RollingBack";
    case Phase::RolledBack: return "RolledBack";
    case Phase::Degraded: return "Degraded";
  }
  return "Pending";
}

ReleaseStatus decode_release_status(const Json& json) {
  ReleaseStatus status;
  status.observed_generation = json_int(json, {"observedGeneration"});
  status.phase = phase_of(json);
  status.message = json_text(json, {"message"});
  status.policy = json_text(json, {"policy", "name"});
  status.policy_generation = json_int(json, {"policy", "generation"});
  status.stable = decode_stable(json_at(json, {"stable"}));
  status.canary = decode_canary(json_at(json, {"canary"}));
  status.promotion = decode_promotion(json_at(json, {"promotion"}));
  status.weights = decode_list(json_at(json, {"weights"}), decode_weight);
  status.idle = decode_list(json_at(json, {"idle"}), decode_idle);
  status.judgement = decode_list(json_at(json, {"judgement"}), decode_judgement);
  status.judged = time_at(json, {"judged"});
  status.last_rollback = decode_rollback(json_at(json, {"lastRollback"}));
  status.history = decode_list(json_at(json, {"history"}), decode_history);
  status.requests = decode_list(json_at(json, {"requests"}), decode_request);
  status.conditions = decode_conditions(json_at(json, {"conditions"}));
  status.replicas = small_int(json, {"replicas"});
  status.selector = json_text(json, {"selector"});
  return status;
}

Json encode_release_status(const ReleaseStatus& status) {
  Json json = Json::object();
  json["observedGeneration"] = status.observed_generation;
  json["phase"] = to_string(status.phase);
  put_text(json, "message", status.message, kMaxMessage);
  if (!status.policy.empty()) {
    json["policy"]["name"] = clip(status.policy, kMaxText);
    json["policy"]["generation"] = status.policy_generation;
  }
  if (status.stable) json["stable"] = encode_stable(*status.stable);
  if (status.canary) json["canary"] = encode_canary(*status.canary);
  if (status.promotion) json["promotion"] = encode_promotion(*status.promotion);
  put_list(json, "weights", status.weights, kMaxRevisions, encode_weight);
  put_list(json, "idle", status.idle, kMaxRevisions, encode_idle);
  put_list(json, "judgement", status.judgement, kMaxJudgements, encode_judgement);
  put_time(json, "judged", status.judged, format_time);
  if (status.last_rollback) json["lastRollback"] = encode_rollback(*status.last_rollback);
  put_list(json, "history", status.history, kMaxHistory, encode_history);
  put_list(json, "requests", status.requests, kMaxRequests, encode_request);
  if (!status.conditions.empty()) json["conditions"] = encode_conditions(status.conditions);
  json["replicas"] = status.replicas;
  put_text(json, "selector", status.selector, kMaxMessage);
  return json;
}

}  // namespace weir
