#include "sim/checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/meta.h"
#include "base/json.h"
#include "delivery/release_course.h"
#include "delivery/traffic.h"
#include "kube/kinds.h"

namespace weir::sim {
namespace {

using Weights = std::map<std::string, int>;

Weights weights_of(const Json& route) {
  Weights weights;
  const Json& rules = json_at(route, {"spec", "rules"});
  if (!rules.is_array() || rules.empty()) return weights;
  for (const auto& ref : json_at(rules.front(), {"backendRefs"}))
    weights[json_text(ref, {"name"}).substr(kShop.name.size() + 1)] =
        static_cast<int>(json_int(ref, {"weight"}, 1));
  return weights;
}

int at(const Weights& weights, const std::string& revision) {
  const auto found = weights.find(revision);
  return found == weights.end() ? 0 : found->second;
}

Traffic memo_of(const Json& route) {
  const auto memo = decode_traffic(json_text(route, {"metadata", "annotations", marks::kTraffic}));
  return memo ? *memo : Traffic{};
}

}  // namespace

void Checks::fail(const std::string& rule, const std::string& what) {
  violations_.push_back(
      {rule,
       fmt::format("{:.2f} s: {}", static_cast<double>(clock_.elapsed().count()) / 1000, what)});
}

void Checks::wants(const std::string& revision, bool good) {
  if (revision != wanted_) taken_back_.clear();
  wanted_ = revision;
  good_[revision] = good;
}

void Checks::on_write(const ObjectRef& ref, const Json& before, const Json& after,
                      bool by_operator) {
  if (!by_operator) return;
  if (ref.plural == kinds::kHttpRoute.plural && !after.is_null()) check_route(before, after);
  if (ref.plural == kinds::kReplicaSet.plural && !after.is_null()) check_replica_set(before, after);
  if (before.is_null()) check_owner(ref, after);
}

void Checks::check_route(const Json& before, const Json& after) {
  const auto old_weights = weights_of(before);
  const auto weights = weights_of(after);
  int sum = 0;
  for (const auto& [revision, weight] : weights) sum += weight;
  if (sum != 100) fail("weights sum to 100", fmt::format("they sum to {}", sum));
  const auto memo = memo_of(after);
  if (memo.rollback) taken_back_.insert(memo.rollback->revision);
  for (const auto& [revision, weight] : weights) {
    const int from = at(old_weights, revision);
    if (weight <= from) continue;
    // What was earned before may be put right after somebody else's edit.
    const auto old = memo_of(before);
    const int earned = old.canary == revision ? old.weight : 0;
    if (revision == memo.canary && weight > earned)
      check_rise(revision, earned, weight, memo.stable);
    if (taken_back_.count(revision) != 0)
      fail("a rolled-back revision gets no traffic", fmt::format("{} got {} %", revision, weight));
    const int needed = weight > from && revision == memo.canary ? 1 : 0;
    if (world_.ready_pods(revision) < needed)
      fail("no weight without ready pods", fmt::format("{} got {} %", revision, weight));
  }
}

// A canary goes from one step to the next, after the hold of the one it has, counted from when the gateway served it.
void Checks::check_rise(const std::string& revision, int from, int to, const std::string& stable) {
  if (stable.empty()) return;
  const auto& steps = policy_.steps;
  const auto next = std::find_if(steps.begin(), steps.end(),
                                 [&](const PolicyStep& step) { return step.weight > from; });
  if (next == steps.end() || next->weight < to) {
    fail("no step is skipped", fmt::format("{} went from {} to {} %", revision, from, to));
    return;
  }
  if (from == 0 || next == steps.begin()) return;
  const auto since = served_since_.find(revision);
  const auto hold = std::prev(next)->hold;
  const bool held = since != served_since_.end() && at(served_, revision) == from &&
                    clock_.now() - since->second >= hold;
  if (!held)
    fail("every step is held",
         fmt::format("{} left {} % before its hold was over", revision, from));
}

void Checks::check_replica_set(const Json& before, const Json& after) {
  const auto revision = json_text(after, {"metadata", "labels", marks::kRevision});
  const auto from = json_int(before, {"spec", "replicas"}, 0);
  const auto to = json_int(after, {"spec", "replicas"}, 0);
  if (before.is_null() || to >= from) return;
  if (at(served_, revision) > 0 && to == 0)
    fail("pods with weight stay", fmt::format("{} was scaled to 0", revision));
  if (ever_served_.count(revision) == 0 || at(served_, revision) > 0) return;
  const auto since = served_since_.find(revision);
  if (since != served_since_.end() && clock_.now() - since->second < policy_.drain)
    fail("pods drain", fmt::format("{} lost pods {} after its weight was 0", revision,
                                   (clock_.now() - since->second).count() / 1000));
}

void Checks::check_owner(const ObjectRef& ref, const Json& object) {
  if (ref.plural == kinds::kEvent.plural) return;
  const Json& owners = json_at(object, {"metadata", "ownerReferences"});
  if (!owners.is_array() || owners.empty())
    fail("no child without owner", ref.plural + " " + ref.key.name);
}

void Checks::on_tick() {
  const auto& now = world_.served();
  std::set<std::string> revisions;
  for (const auto& [revision, weight] : now) revisions.insert(revision);
  for (const auto& [revision, weight] : served_) revisions.insert(revision);
  for (const auto& revision : revisions) {
    if (at(now, revision) != at(served_, revision)) served_since_[revision] = clock_.now();
    if (at(now, revision) > 0) ever_served_.insert(revision);
  }
  served_ = now;
  if (world_.lost() > lost_)
    fail("no request is lost", fmt::format("{:.0f} found no ready pod", world_.lost() - lost_));
  lost_ = world_.lost();
  for (const auto& revision : taken_back_) {
    if (good_.count(revision) != 0 && good_.at(revision))
      fail("a good revision is not taken back", revision);
  }
}

}  // namespace weir::sim
