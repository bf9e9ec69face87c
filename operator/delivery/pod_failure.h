// From pods to a verdict. A pod counts against its revision only for what its containers do; what the infrastructure does to it
// holds the release and never takes it back. Pure.
#pragma once

#include <optional>
#include <string>

#include "api/canary_policy.h"
#include "base/clock.h"
#include "delivery/release_snapshot.h"

namespace weir {

struct PodFailure {
  std::string reason;   // CrashLoop | ImagePull | NotReady
  std::string message;  // one sentence: which pod, which container, the kubelet's words
  std::optional<WallTime> since;
};

// What the pods of one revision mean for it.
struct PodRuling {
  std::optional<PodFailure> failure;   // the rules say: take it back
  std::string holding;                 // why it may not get more traffic; "" = the pods do not mind
  std::optional<WallTime> look_again;  // what is borne until then is a failure from then on
};

PodRuling judge_pods(const PodFailureRules& rules, const RevisionView& revision, WallTime now);

}  // namespace weir
