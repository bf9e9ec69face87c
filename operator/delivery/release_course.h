// Where a Release goes next: the heart of the operator, and pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "delivery/judge.h"
#include "delivery/release_snapshot.h"
#include "runtime/plan.h"

namespace weir {

// Something worth a Kubernetes Event.
struct Notice {
  bool warning = false;
  std::string reason;
  std::string message;
};

struct Course {
  Traffic traffic;  // what the route must say now
  std::map<std::string, int>
      pods;  // replicas wanted per revision; a revision that is not named goes when it is idle
  Phase phase = Phase::Pending;
  std::string message;  // one sentence: what it does, what it waits for, until when
  std::optional<CanaryStatus> canary;
  std::vector<Judgement> judgements;
  bool hands_off = false;               // leave every child but the route as it is
  std::vector<Action> adoption;         // what takes a Deployment over, or looks at it
  bool quiet = false;                   // it only looks: nothing is worth a word
  std::optional<RequestStatus> answer;  // to what a person has asked
  bool settling = false;  // between a rise and the gateway's answer: nothing to tell people yet
  bool stalled = false;   // only a change of input can help
  std::string stalled_reason;
  std::vector<Notice> notices;
  std::optional<WallTime> look_again;
  // Acceptance and warm-up of the judged weight; from here on samples are judged.
  std::optional<WallTime> judged_from;
  std::optional<WallTime> watch_until;

  void look_again_at(WallTime at) {
    if (!look_again || at < *look_again) look_again = at;
  }
};

Course chart_course(const ReleaseSnapshot& snapshot, WallTime now);

// Pods that a share of the traffic needs; at least one for any share.
int pods_for(int weight, int replicas);

}  // namespace weir
