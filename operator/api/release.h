// Release (weir.dev/v1alpha1): one service in one namespace. Field docs: crds/releases.weir.dev.yaml.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/meta.h"
#include "base/clock.h"
#include "base/result.h"

namespace weir {

struct ImageOverride {
  std::string container;
  std::string image;
};

struct ServicePort {
  std::string name;
  int port = 0;
  std::string target_port;  // number or name as text
  std::string protocol = "TCP";
  std::string app_protocol;  // "" = none
};

struct ReleaseService {
  std::string name;  // the Service that callers use; the Release's own name when left out
  std::vector<ServicePort> ports;
};

struct GatewayApiTraffic {
  std::string parent_refs_text;  // compact JSON list, as the user wrote it
  std::vector<std::string> hostnames;
  // Compact JSON list of HTTPRoute rules without backendRefs; "[]" = one rule that matches all.
  std::string rules_text;
};

enum class TrafficType { GatewayApi, Replicas };

struct ReleaseTraffic {
  TrafficType type = TrafficType::GatewayApi;
  GatewayApiTraffic gateway_api;
};

// ConfigMaps and Secrets whose content belongs to the revision; names in the Release's namespace.
struct ReleaseConfig {
  std::vector<std::string> config_maps;
  std::vector<std::string> secrets;
};

struct KeepWarm {
  milliseconds duration{0};  // after promotion; 0 = until the watch ends
  int replicas_percent = 100;
};

enum class Lifecycle { PreStopSleep, AsGiven };

struct ReleaseSpec {
  int replicas = 1;
  int revision_history_limit = 10;
  std::string template_text;  // compact JSON of the PodTemplateSpec, as written; "" = workload
  std::string workload;       // workloadRef: the Deployment to adopt; "" = none
  std::vector<ImageOverride> images;
  ReleaseConfig config;
  Lifecycle lifecycle = Lifecycle::PreStopSleep;
  ReleaseService service;
  ReleaseTraffic traffic;
  std::string policy;  // strategy.canary.policyRef.name
  KeepWarm keep_warm;
  bool paused = false;  // nothing rises; a breach still rolls back
};

enum class Phase {
  Pending,
  Progressing,
  Paused,
  AwaitingApproval,
  Healthy,
  RollingBack,
  RolledBack,
  Degraded,
};

struct StableStatus {
  std::string revision;
  int replicas = 0;
  int ready = 0;
  bool operator==(const StableStatus&) const = default;
};

struct CanaryStatus {
  std::string revision;
  int replicas = 0;
  int ready = 0;
  int step = 0;    // 1-based; 0 = before the first
  int steps = 0;   // how many there are
  int weight = 0;  // percent, as written to the route
  std::optional<WallTime> started;
  std::optional<WallTime> accepted;  // this weight was accepted by the gateway
  std::optional<WallTime>
      since;  // accepted and pods ready without a break from here on: the hold counts from it
  bool operator==(const CanaryStatus&) const = default;
};

// The last promotion, for as long as it can still be taken back.
struct PromotionStatus {
  std::string revision;
  std::string previous;
  std::optional<WallTime> at;
  std::optional<WallTime> watch_until;
  bool operator==(const PromotionStatus&) const = default;
};

struct WeightStatus {
  std::string revision;
  int weight = 0;
  bool operator==(const WeightStatus&) const = default;
};

// A revision without traffic whose pods still run; they go `drain` after `since`.
struct IdleStatus {
  std::string revision;
  WallTime since{};
  bool operator==(const IdleStatus&) const = default;
};

struct JudgementStatus {
  std::string objective;
  std::string verdict;   // Pass | Unsure | NoData | SourceError | Warning | BothBreach | Breach
  std::int64_t bad = 0;  // judged and unjudged, canary only
  std::int64_t total = 0;
  std::int64_t judged_bad = 0;  // after warm-up: what the verdict rests on
  std::int64_t judged_total = 0;
  std::int64_t stable_bad = 0;  // of stable, meanwhile
  std::int64_t stable_total = 0;
  std::string interval;  // of the true ratio, as text: "0.31% to 1.8%; 1.2 to 9.5 times stable's"
  std::string evidence;  // against the canary, a number from 1; needed: from where it is a breach
  std::string needed;
  std::string checkpoint;  // of the tests, for ourselves after a restart
  std::string value;       // last ratio or value, as text
  std::string bound;       // "at most 5%"
  std::string message;
  std::optional<WallTime> sampled;  // newest sample
  bool operator==(const JudgementStatus&) const = default;
};

struct RollbackStatus {
  std::string revision;
  std::string reason;                 // objective's name
  std::string message;                // evidence, for people
  std::optional<WallTime> at;         // weight 0 was written
  std::optional<WallTime> bad_since;  // first bad sample
  bool operator==(const RollbackStatus&) const = default;
};

struct HistoryEntry {
  std::string revision;
  std::string outcome;  // Promoted | RolledBack | Superseded | Reverted
  std::optional<WallTime> started;
  std::optional<WallTime> finished;
  std::string message;
  bool operator==(const HistoryEntry&) const = default;
};

// How a request was answered.
struct RequestStatus {
  std::string id;
  std::string request;  // as it was written: "abort:6f8d5c7b9a"
  std::string by;       // who asked; "" = nobody said, or nobody checked
  std::string outcome;  // Done | Refused
  std::string message;  // why it was refused
  std::optional<WallTime> answered;
  bool operator==(const RequestStatus&) const = default;
};

struct ReleaseStatus {
  std::int64_t observed_generation = 0;
  Phase phase = Phase::Pending;
  std::string message;
  std::string policy;  // name of the pinned policy
  std::int64_t policy_generation = 0;
  std::optional<StableStatus> stable;
  std::optional<CanaryStatus> canary;
  std::optional<PromotionStatus> promotion;
  std::vector<WeightStatus> weights;  // as accepted
  std::vector<IdleStatus> idle;
  std::vector<JudgementStatus> judgement;
  std::optional<WallTime> judged;  // when `judgement` was last written
  std::optional<RollbackStatus> last_rollback;
  std::vector<HistoryEntry> history;    // newest first
  std::vector<RequestStatus> requests;  // newest first
  std::vector<Condition> conditions;
  int replicas = 0;      // scale subresource
  std::string selector;  // scale subresource: only revisions with weight
  bool operator==(const ReleaseStatus&) const = default;
};

struct Release {
  ObjectMeta meta;
  Result<ReleaseSpec> spec = ReleaseSpec{};  // an error names the field; it becomes a condition
  ReleaseStatus status;
};

}  // namespace weir
