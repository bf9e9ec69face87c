#include "delivery/release_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "api/codec.h"
#include "base/json.h"
#include "delivery/requests.h"

namespace weir {
namespace {

constexpr milliseconds kJudgementEvery{30'000};
constexpr std::size_t kMaxHistory = 10;  // entries in status
constexpr std::size_t kMaxRequests = 5;
constexpr std::size_t kMaxMessage = 1024;  // bytes

std::string cut(std::string text) {
  if (text.size() > kMaxMessage) text.resize(kMaxMessage);
  return text;
}

void set_condition(std::vector<Condition>& conditions, const ReleaseSnapshot& snapshot,
                   std::string type, bool value, std::string reason, std::string message,
                   WallTime now) {
  Condition condition{std::move(type),         value ? "True" : "False",          std::move(reason),
                      cut(std::move(message)), snapshot.release->meta.generation, now};
  for (const auto& old : snapshot.release->status.conditions) {
    if (old.type == condition.type && old.status == condition.status)
      condition.last_transition = old.last_transition;
  }
  conditions.push_back(std::move(condition));
}

// kstatus: Ready, Reconciling and Stalled; SpecNotServed when what serves is not what the spec asks for, and will not become so.
std::vector<Condition> conditions(const ReleaseSnapshot& snapshot, const ReleaseStatus& status,
                                  bool stalled, const std::string& stalled_reason, WallTime now) {
  std::vector<Condition> result;
  const std::string phase(to_string(status.phase));
  const bool ready = status.phase == Phase::Healthy && !stalled;
  const bool settled = ready || status.phase == Phase::RolledBack;
  const auto set = [&](const std::string& type, bool value, const std::string& reason) {
    const bool told = value || type == "Ready";
    set_condition(result, snapshot, type, value, reason, told ? status.message : "", now);
  };
  set("Ready", ready, stalled ? stalled_reason : phase);
  set("Reconciling", !settled && !stalled, phase);
  set("Stalled", stalled, stalled ? stalled_reason : phase);
  set("SpecNotServed", status.phase == Phase::RolledBack, phase);
  return result;
}

JudgementStatus judgement_status(const Judgement& judgement, const Evidence& evidence) {
  JudgementStatus result;
  result.objective = judgement.objective;
  result.verdict = to_string(judgement.verdict);
  result.value = judgement.value;
  result.bound = judgement.bound;
  result.message = cut(judgement.message);
  result.interval = judgement.interval;
  if (judgement.evidence > 0) {
    result.evidence = fmt::format("{:.3g}", judgement.evidence);
    result.needed = fmt::format("{:.3g}", judgement.needed);
  }
  const auto seen = evidence.find(judgement.objective);
  if (seen == evidence.end()) return result;
  result.bad = std::llround(seen->second.bad);
  result.total = std::llround(seen->second.total);
  result.judged_bad = std::llround(seen->second.judged_bad);
  result.judged_total = std::llround(seen->second.judged_total);
  result.stable_bad = std::llround(seen->second.stable_bad);
  result.stable_total = std::llround(seen->second.stable_total);
  if (seen->second.tests) result.checkpoint = seen->second.tests->checkpoint();
  result.sampled = seen->second.sampled;
  return result;
}

void remember(ReleaseStatus& status, HistoryEntry entry) {
  for (const auto& known : status.history) {
    if (known.revision == entry.revision && known.outcome == entry.outcome &&
        known.started == entry.started)
      return;
  }
  status.history.insert(status.history.begin(), std::move(entry));
  if (status.history.size() > kMaxHistory) status.history.resize(kMaxHistory);
}

// Told by the difference between what status knew and where the traffic is: it needs no memory, so a crash loses nothing.
void add_history(ReleaseStatus& status, const ReleaseStatus& before, const Traffic& traffic,
                 WallTime now) {
  const auto started = before.canary ? before.canary->started : std::nullopt;
  if (before.canary && before.canary->revision != traffic.canary) {
    const auto& gone = before.canary->revision;
    if (gone == traffic.stable) {
      remember(status, {gone, "Promoted", started, traffic.promoted.value_or(now), ""});
    } else if (traffic.rollback && traffic.rollback->revision == gone) {
      remember(status,
               {gone, "RolledBack", started, traffic.rollback->at, cut(traffic.rollback->message)});
    } else {
      remember(status,
               {gone, traffic.canary.empty() ? "Reverted" : "Superseded", started, now, ""});
    }
    return;
  }
  const bool taken_back = before.stable && traffic.rollback &&
                          traffic.rollback->revision == before.stable->revision &&
                          traffic.stable != before.stable->revision;
  if (taken_back)
    remember(status, {traffic.rollback->revision, "RolledBack",
                      before.promotion ? before.promotion->at : std::nullopt, traffic.rollback->at,
                      cut(traffic.rollback->message)});
  if (!before.stable && !traffic.stable.empty())
    remember(status, {traffic.stable, "Promoted", std::nullopt, now, "first revision"});
}

void add_serving(ReleaseStatus& status, const ReleaseSnapshot& snapshot, const Traffic& traffic) {
  if (!traffic.stable.empty()) {
    const auto& view = snapshot.revision(traffic.stable);
    status.stable = StableStatus{traffic.stable, view.replicas(), view.ready()};
  }
  if (snapshot.route_state.accepted) {
    status.weights.clear();
    for (const auto& backend : snapshot.route_state.backends)
      status.weights.push_back({backend.revision, backend.weight});
  }
  std::string serving;
  status.replicas = 0;
  for (const auto& weight : status.weights) {
    if (weight.weight == 0) continue;
    status.replicas += snapshot.revision(weight.revision).replicas();
    serving += (serving.empty() ? "" : ",") + weight.revision;
  }
  if (!serving.empty())
    status.selector = fmt::format("{}={},{} in ({})", marks::kRelease,
                                  snapshot.release->meta.key.name, marks::kRevision, serving);
}

bool has_no_weight(const RouteState& state, const std::string& revision) {
  return std::none_of(state.backends.begin(), state.backends.end(), [&](const Backend& backend) {
    return backend.revision == revision && backend.weight > 0;
  });
}

void add_refusal(ReleaseStatus& status, const Error& refused) {
  status.message = cut(refused.message);
  if (status.phase == Phase::Healthy) status.phase = Phase::Degraded;
}

}  // namespace

std::vector<IdleStatus> idle_revisions(const ReleaseSnapshot& snapshot, const Course& course,
                                       WallTime now) {
  std::vector<IdleStatus> result;
  const auto& state = snapshot.route_state;
  // Until the route says what is wanted a write of ours may be on its way, sent before the cache was as old as it is.
  // And a route that somebody deleted is still served, until a gateway has heard of it.
  const auto is_settled = [&] {
    return state.exists ? state.memo == encode_traffic(course.traffic)
                        : course.traffic.stable.empty();
  };
  for (const auto& [revision, view] : snapshot.revisions) {
    const auto& traffic = course.traffic;
    if (!view.has_pods() || revision == traffic.stable || revision == traffic.canary) continue;
    if (traffic.stable.empty() && revision == snapshot.first) continue;
    if (state.exists && !(state.accepted && has_no_weight(state, revision))) continue;
    const auto& before = snapshot.release->status.idle;
    const auto known =
        std::find_if(before.begin(), before.end(),
                     [&name = revision](const IdleStatus& idle) { return idle.revision == name; });
    if (known != before.end())
      result.push_back(*known);
    else if (is_settled())
      result.push_back({revision, now});
  }
  return result;
}

ReleaseStatus render_status(const ReleaseSnapshot& snapshot, const Course& course, WallTime now,
                            const Error* refused) {
  const ReleaseStatus& before = snapshot.release->status;
  const Traffic& traffic = refused ? snapshot.traffic : course.traffic;
  ReleaseStatus status = before;
  status.observed_generation = snapshot.release->meta.generation;
  status.phase = course.phase;
  status.message = cut(course.message);
  status.canary = refused ? before.canary : course.canary;
  const bool begins =
      status.canary && (!before.canary || before.canary->revision != status.canary->revision);
  if (begins) status.judgement.clear();  // it was another revision's
  add_history(status, before, traffic, now);
  add_serving(status, snapshot, traffic);
  status.idle = idle_revisions(snapshot, course, now);
  status.promotion.reset();
  if (traffic.promoted && !traffic.previous.empty())
    status.promotion =
        PromotionStatus{traffic.stable, traffic.previous, traffic.promoted, course.watch_until};
  if (const auto& mark = traffic.rollback)
    status.last_rollback =
        RollbackStatus{mark->revision, mark->reason, cut(mark->message), mark->at, mark->bad_since};
  if (snapshot.policy) {
    status.policy = snapshot.policy->name;
    status.policy_generation = snapshot.policy->generation;
  }
  if (!course.judgements.empty()) {
    status.judgement.clear();
    for (const auto& judgement : course.judgements)
      status.judgement.push_back(judgement_status(judgement, snapshot.evidence));
    status.judged = now;
  }
  if (refused) add_refusal(status, *refused);
  status.conditions = conditions(snapshot, status, course.stalled || refused != nullptr,
                                 refused ? "Refused" : course.stalled_reason, now);
  return status;
}

void add_answer(ReleaseStatus& status, const RequestStatus& answer) {
  status.requests.insert(status.requests.begin(), answer);
  if (status.requests.size() > kMaxRequests) status.requests.resize(kMaxRequests);
}

std::optional<Notice> news_of_rollback(const ReleaseStatus& before, const Traffic& traffic) {
  if (!is_news(traffic.rollback, before)) return std::nullopt;
  const auto& mark = *traffic.rollback;
  if (mark.reason == kRequestedRollback || mark.reason == kAborted) return std::nullopt;
  return Notice{true, "RolledBack",
                fmt::format("{} was taken back: {}: {}", mark.revision, mark.reason, mark.message)};
}

bool needs_write(const ReleaseStatus& before, const ReleaseStatus& after, WallTime now) {
  ReleaseStatus same = after;
  same.judgement = before.judgement;
  same.judged = before.judged;
  // Most passes change nothing. What differs may still read the same: times are written in seconds.
  if (same != before && encode_release_status(before) != encode_release_status(same)) return true;
  return after.judged != before.judged &&
         (!before.judged || now - *before.judged >= kJudgementEvery);
}

bool differs_in_counts_only(const ReleaseStatus& before, const ReleaseStatus& after) {
  ReleaseStatus same = after;
  same.message = before.message;
  same.replicas = before.replicas;
  same.idle = before.idle;
  same.judgement = before.judgement;
  same.judged = before.judged;
  if (same.stable && before.stable) {
    same.stable->replicas = before.stable->replicas;
    same.stable->ready = before.stable->ready;
  }
  if (same.canary && before.canary) {
    same.canary->replicas = before.canary->replicas;
    same.canary->ready = before.canary->ready;
  }
  for (std::size_t i = 0; i < std::min(same.conditions.size(), before.conditions.size()); ++i)
    same.conditions[i].message = before.conditions[i].message;
  return same == before || encode_release_status(same) == encode_release_status(before);
}

}  // namespace weir
