#include "sim/checks/witness.h"

#include <algorithm>
#include <limits>

#include "api/workload.h"
#include "base/time_format.h"
#include "delivery/config.h"
#include "delivery/revision.h"
#include "kube/kinds.h"
#include "plugins/all.h"
#include "sim/inputs.h"
#include "sim/world/pods.h"

namespace weir::sim {

namespace {

Memo read_memo(const SimClock& clock, const Json& route) {
  Memo memo;
  const auto json = parse_json(json_text(route, {"metadata", "annotations", marks::kTraffic}));
  if (!json) return memo;
  memo.stable = json_text(*json, {"stable"});
  memo.canary = json_text(*json, {"canary"});
  memo.weight = static_cast<int>(json_int(*json, {"weight"}));
  memo.previous = json_text(*json, {"previous"});
  memo.rolled_back = json_text(*json, {"rollback", "revision"});
  memo.reason = json_text(*json, {"rollback", "reason"});
  memo.request = json_text(*json, {"request"});
  memo.paused = json_at(*json, {"paused"}) == true;
  const auto promoted = parse_time(json_text(*json, {"promoted"}));
  if (promoted) memo.promoted = clock.elapsed_at(*promoted);
  return memo;
}

template <typename T>
const Timeline<T>& of(const std::map<ObjectKey, Timeline<T>>& all, const ObjectKey& key) {
  static const Timeline<T> kNothing;
  const auto found = all.find(key);
  return found == all.end() ? kNothing : found->second;
}

}  // namespace

bool is_route(const Write& write) {
  if (write.to(kinds::kHttpRoute)) return true;
  return write.to(kinds::kService) &&
         is_callers_route(write.after.is_null() ? write.before : write.after);
}

void Witness::on_write(const Write& write) {
  if (write.to(kinds::kRelease)) see_release(write);
  // An adopted Deployment has the name of its Release, and the template.
  if (write.to(kinds::kDeployment) && !write.after.is_null())
    see_template(write.ref.key, json_at(write.after, {"spec", "template"}));
  if (is_route(write)) see_route(write);
  if (write.to(kinds::kEndpointSlice)) see_slice(write);
  if (write.to(kinds::kConfigMap)) see_config(write);
  if (write.to(kinds::kReplicaSet) && !write.after.is_null()) see_replica_set(write);
}

void Witness::see_release(const Write& write) {
  const auto now = world_.scene().now();
  const auto& key = write.ref.key;
  if (write.after.is_null()) {
    memos_.erase(key);
    changes_.erase(key);
    templates_.erase(key);
    return;
  }
  replicas_[key].set(now, static_cast<int>(json_int(write.after, {"spec", "replicas"}, 1)));
  if (json_at(write.after, {"spec", "workloadRef"}).is_null())
    see_template(key, json_at(write.after, {"spec", "template"}));
  if (json_at(write.after, {"spec", "paused"}) == true)
    paused_.emplace(key, now);
  else
    paused_.erase(key);
  if (write.author.instance == 0)
    see_request(write);
  else
    see_answers(write);
}

// What people change there is a new revision, as a change of the template is.
void Witness::see_config(const Write& write) {
  const auto& name = write.ref.key.name;
  if (write.author.instance == 0 && name.ends_with(kConfigSuffix))
    count_change({write.ref.key.ns, name.substr(0, name.size() - kConfigSuffix.size())});
}

void Witness::see_template(const ObjectKey& release, const Json& pod_template) {
  const auto text = dump_json(pod_template);
  auto& templates = templates_[release];
  if (templates.empty() || templates.last() != text) count_change(release);
  templates.set(world_.scene().now(), text);
}

void Witness::see_request(const Write& write) {
  const auto mark = [](const Json& object, std::string_view name) {
    return json_text(object, {"metadata", "annotations", name});
  };
  if (mark(write.after, marks::kRequestId) == mark(write.before, marks::kRequestId)) return;
  const auto text = mark(write.after, marks::kRequest);
  asked_[write.ref.key].push_back(text);
  const auto verb = text.substr(0, text.find(':'));
  if (verb == "retry" || verb == "resume" || verb == "rollback") count_change(write.ref.key);
}

void Witness::see_answers(const Write& write) {
  for (const auto& answer : json_at(write.after, {"status", "requests"})) {
    // Where status was lost it is answered once more, and otherwise perhaps.
    const auto outcome = json_text(answer, {"outcome"});
    if (std::exchange(answered_[write.ref.key][json_text(answer, {"id"})], outcome) != outcome)
      answers_[write.ref.key].push_back(json_text(answer, {"request"}) + ": " + outcome);
  }
}

int Witness::asked(const ObjectKey& release, const std::string& verb,
                   const std::string& revision) const {
  const auto found = asked_.find(release);
  if (found == asked_.end()) return 0;
  return static_cast<int>(
      std::count_if(found->second.begin(), found->second.end(), [&](const std::string& text) {
        const auto colon = text.find(':');
        return text.substr(0, colon) == verb &&
               (revision.empty() ||
                (colon != std::string::npos && text.substr(colon + 1) == revision));
      }));
}

const std::vector<std::string>& Witness::answers(const ObjectKey& release) const {
  static const std::vector<std::string> kNone;
  const auto found = answers_.find(release);
  return found == answers_.end() ? kNone : found->second;
}

std::optional<SimTime> Witness::paused_since(const ObjectKey& release) const {
  const auto found = paused_.find(release);
  return found == paused_.end() ? std::nullopt : std::optional(found->second);
}

void Witness::see_route(const Write& write) {
  if (write.after.is_null() || !write.by_operator()) return;
  const auto now = world_.scene().now();
  const Memo memo = read_memo(world_.scene().clock, write.after);
  // A route for a Release that is gone, by an operator that does not know it yet, promises nothing for the next one of that name.
  const Json* release = world_.scene().server.find(kinds::kRelease, write.ref.key);
  const Json& owners = json_at(write.after, {"metadata", "ownerReferences"});
  if (!release || !owners.is_array() || owners.empty() ||
      json_text(owners.front(), {"uid"}) != json_text(*release, {"metadata", "uid"})) {
    changes_[write.ref.key] = {Memo{}, memo};
    return;
  }
  auto& memos = memos_[write.ref.key];
  changes_[write.ref.key] = {memos.empty() ? Memo{} : memos.last(), memo};
  memos.set(now, memo);
  for (const auto& [service, weight] : weights_of_route(write.after)) {
    if (weight > 0) served_.insert({write.ref.key.ns, service});
  }
}

void Witness::see_slice(const Write& write) {
  const Json& slice = write.after.is_null() ? write.before : write.after;
  const ObjectKey service{write.ref.key.ns,
                          json_text(slice, {"metadata", "labels", "kubernetes.io/service-name"})};
  const int ready = write.after.is_null() ? 0 : ready_endpoints(world_.scene().server, service);
  ready_[service].set(world_.scene().now(), ready);
}

const Witness::Change& Witness::change(const ObjectKey& release) const {
  static const Change kNothing;
  const auto found = changes_.find(release);
  return found == changes_.end() ? kNothing : found->second;
}

void Witness::see_replica_set(const Write& write) {
  pods_[write.ref.key].set(world_.scene().now(),
                           static_cast<int>(json_int(write.after, {"spec", "replicas"}, 1)));
  auto& pin = pins_[write.ref.key];
  pin.image = image_of(json_at(write.after, {"spec", "template"}));
  pin.config = config_of(json_at(write.after, {"spec", "template"}));
  const auto text = json_text(write.after, {"metadata", "annotations", marks::kPolicy});
  if (!pin.text.empty() && pin.text == text) return;
  const auto decoded = decode_pin(text);
  pin.text = text;
  pin.policy = decoded ? std::optional(decoded->spec) : std::nullopt;
}

Memo Witness::memo(const ObjectKey& release) const {
  const auto& memos = of(memos_, release);
  return memos.empty() ? Memo{} : memos.last();
}

const Timeline<Memo>& Witness::memos(const ObjectKey& release) const { return of(memos_, release); }

std::string Witness::revision_of(const ObjectKey& release, const std::string& service) const {
  const auto prefix = release.name + "-";
  return service.rfind(prefix, 0) == 0 ? service.substr(prefix.size()) : service;
}

const Timeline<int>& Witness::ready(const ObjectKey& service) const { return of(ready_, service); }

const CanaryPolicySpec* Witness::policy(const ObjectKey& replica_set) const {
  const auto found = pins_.find(replica_set);
  return found == pins_.end() || !found->second.policy ? nullptr : &*found->second.policy;
}

std::string Witness::fault(const ObjectKey& replica_set) const {
  const auto found = pins_.find(replica_set);
  if (found == pins_.end()) return "";
  const auto kind = found->second.image.substr(0, found->second.image.find('-'));
  if (kind == "crash") return "CrashLoop";
  if (kind == "pull") return "ImagePull";
  if (kind == "never") return "NotReady";
  if (kind == "bad" || kind == "ages" || kind == "worse") return "errors";
  const Json* copy =
      world_.scene().server.find(kinds::kConfigMap, {replica_set.ns, found->second.config});
  return copy && is_bad_content(json_text(*copy, {"data", "version"})) ? "errors" : "";
}

bool Witness::is_gone(const ObjectKey& release, const std::string& revision) const {
  const ObjectKey key{release.ns, release.name + "-" + revision};
  return !world_.scene().server.find(kinds::kReplicaSet, key);
}

bool Witness::shares_by_pods(const ObjectKey& release) const {
  const auto& server = world_.scene().server;
  const Json* object = server.find(kinds::kRelease, release);
  // Until a change of the router is made the old one's route stands.
  return object && !server.find(kinds::kHttpRoute, release) &&
         json_text(*object, {"spec", "traffic", "type"}) == "Replicas";
}

int Witness::pods_for(const ObjectKey& release, int weight, int replicas) const {
  const auto type = shares_by_pods(release) ? TrafficType::Replicas : TrafficType::GatewayApi;
  return all_plugins().router(type)->pods_for(weight, replicas, replicas);
}

int Witness::fewest_replicas(const ObjectKey& release, SimTime from) const {
  int fewest = std::numeric_limits<int>::max();
  of(replicas_, release).during(from, [&](int replicas, SimTime) {
    fewest = std::min(fewest, replicas);
  });
  return fewest;
}

int Witness::fewest_pods(const ObjectKey& replica_set, SimTime from) const {
  int fewest = std::numeric_limits<int>::max();
  bool newest = true;
  of(pods_, replica_set).during(from, [&](int replicas, SimTime) {
    if (!std::exchange(newest, false)) fewest = std::min(fewest, replicas);
  });
  return fewest;
}

void Witness::count_change(const ObjectKey& release) {
  auto& changes = template_changes_[release];
  changes.set(world_.scene().now(), changes.empty() ? 1 : changes.last() + 1);
}

int Witness::changes_of_revision(const ObjectKey& release, SimTime at) const {
  int changes = 0;
  of(template_changes_, release).during(at, [&](int count, SimTime since) {
    if (since <= at) changes = count;
  });
  return changes;
}

}  // namespace weir::sim
