// What was true when: the memory of the checks. It reads the API and the world, and believes nothing the operator says of itself but
// the memo on the route, which is its promise.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/canary_policy.h"
#include "sim/checks/check.h"

namespace weir::sim {

// The memo on the route: what the operator says its weights mean.
struct Memo {
  std::string stable;
  std::string canary;
  int weight = 0;
  std::string previous;
  std::optional<SimTime> promoted;  // by the clock of who promoted
  std::string rolled_back;
  std::string reason;  // of the rollback
  bool paused = false;
  std::string request;  // carried out last

  bool operator==(const Memo&) const = default;
};

// An HTTPRoute, or the callers' Service of a Release with router Replicas.
bool is_route(const Write& write);

// A value and since when it has been so, newest last.
template <typename T>
class Timeline {
 public:
  void set(SimTime now, T value) {
    if (points_.empty() || !(points_.back().second == value)) points_.emplace_back(now, value);
  }
  bool empty() const { return points_.empty(); }
  const T& last() const { return points_.back().second; }
  // Calls `see` with each value that held at some time in [from, now].
  template <typename See>
  void during(SimTime from, const See& see) const {
    for (auto point = points_.rbegin(); point != points_.rend(); ++point) {
      see(point->second, point->first);
      if (point->first <= from) return;
    }
  }

 private:
  std::vector<std::pair<SimTime, T>> points_;
};

class Witness {
 public:
  explicit Witness(const World& world) : world_(world) {}

  void on_write(const Write& write);

  // What the operator's last write of a route changed. Who only deletes a route changes no promise.
  struct Change {
    Memo before;
    Memo now;
  };
  const Change& change(const ObjectKey& release) const;
  // The last memo that the operator wrote for a release, and all it has written.
  Memo memo(const ObjectKey& release) const;
  const Timeline<Memo>& memos(const ObjectKey& release) const;

  // Of a revision.
  std::string revision_of(const ObjectKey& release, const std::string& service) const;
  const Timeline<int>& ready(const ObjectKey& service) const;
  // As it is pinned on the ReplicaSet, or was when that went; null when nothing could be read.
  const CanaryPolicySpec* policy(const ObjectKey& replica_set) const;
  // Why it must be taken back, as a rollback tells its reason; "" = it is good.
  std::string fault(const ObjectKey& replica_set) const;
  bool ever_served(const ObjectKey& service) const { return served_.count(service) != 0; }

  // Pods that a weight needs at least, by the release's router, beside as many of stable.
  int pods_for(const ObjectKey& release, int weight, int replicas) const;
  // The release's router is Replicas.
  bool shares_by_pods(const ObjectKey& release) const;
  // Somebody has deleted its ReplicaSet: there is nothing to protect.
  bool is_gone(const ObjectKey& release, const std::string& revision) const;

  // Of a release's spec.
  int fewest_replicas(const ObjectKey& release, SimTime from) const;
  // What a ReplicaSet's last writer may have seen, at least: spec.replicas before its last change, from `from` on.
  int fewest_pods(const ObjectKey& replica_set, SimTime from) const;
  // Changes of the revision that may serve; whoever asks for one by name changes it too.
  int changes_of_revision(const ObjectKey& release, SimTime at) const;

  // What people have asked of a release so far: how often, with this verb, for this revision ("" = any).
  int asked(const ObjectKey& release, const std::string& verb, const std::string& revision) const;
  // The answers of the operator, in order: "abort:6f8d5c7b9a: Done".
  const std::vector<std::string>& answers(const ObjectKey& release) const;
  // Since when spec.paused is true.
  std::optional<SimTime> paused_since(const ObjectKey& release) const;

 private:
  void see_release(const Write& write);
  void see_template(const ObjectKey& release, const Json& pod_template);
  void see_request(const Write& write);
  void see_answers(const Write& write);
  void see_route(const Write& write);
  void see_slice(const Write& write);
  void see_replica_set(const Write& write);
  void see_config(const Write& write);
  void count_change(const ObjectKey& release);

  const World& world_;
  std::map<ObjectKey, Timeline<Memo>> memos_;
  std::map<ObjectKey, Change> changes_;
  std::map<ObjectKey, Timeline<int>> ready_;
  std::map<ObjectKey, Timeline<int>> replicas_;
  std::map<ObjectKey, Timeline<int>> pods_;
  std::map<ObjectKey, Timeline<std::string>> templates_;
  std::map<ObjectKey, Timeline<int>> template_changes_;
  std::map<ObjectKey, std::vector<std::string>> asked_;  // "verb:revision"
  std::map<ObjectKey, std::vector<std::string>> answers_;
  std::map<ObjectKey, std::map<std::string, std::string>> answered_;  // outcome by id
  std::map<ObjectKey, SimTime> paused_;
  struct Pin {
    std::string text;
    std::optional<CanaryPolicySpec> policy;
    std::string image;
    std::string config;  // name of the copy that its pods read; "" = none
  };
  std::map<ObjectKey, Pin> pins_;
  std::set<ObjectKey> served_;
};

}  // namespace weir::sim
