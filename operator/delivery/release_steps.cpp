#include "delivery/release_steps.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/sim_point.h"
#include "base/time_format.h"
#include "delivery/course_moves.h"

namespace weir {
namespace {

using Steps = std::vector<PolicyStep>;

constexpr milliseconds kSettles{2'000};

// How many steps a weight has earned: 0 = none yet.
int step_of(const Steps& steps, int weight) {
  return static_cast<int>(std::count_if(steps.begin(), steps.end(),
                                        [&](const PolicyStep& s) { return s.weight <= weight; }));
}

// The step whose hold applies: a weight below the first one (written under another policy) is held as the first.
const PolicyStep& step_held(const CanaryPolicySpec& policy, const CanaryStatus& canary) {
  return policy.steps[static_cast<std::size_t>(std::max(canary.step, 1) - 1)];
}

// The canary as status shows it; what status remembers of this very weight is kept.
CanaryStatus canary_status(const ReleaseSnapshot& snapshot, const Traffic& traffic, WallTime now) {
  const auto& view = snapshot.revision(snapshot.wanted);
  CanaryStatus canary;
  canary.revision = snapshot.wanted;
  canary.replicas = view.replicas();
  canary.ready = view.ready();
  canary.steps = static_cast<int>(snapshot.policy->spec.steps.size());
  canary.step = step_of(snapshot.policy->spec.steps, traffic.weight);
  canary.weight = traffic.weight;
  canary.started = now;
  const auto& known = snapshot.release->status.canary;
  if (!known || known->revision != canary.revision) return canary;
  canary.started = known->started;
  // Status may have missed that the weight fell and was raised again. By a clock that is ahead of ours nothing can be told.
  const auto& raised = traffic.raised;
  const bool same_stay =
      !raised || *raised > now || !known->accepted || *known->accepted >= *raised;
  if (known->weight == traffic.weight && same_stay) {
    canary.accepted = known->accepted;
    canary.since = known->since;
  }
  return canary;
}

void set_weight(Course& course, int weight, std::string reason, std::string message) {
  course.traffic.weight = weight;
  course.message = message;
  course.notices.push_back({false, std::move(reason), std::move(message)});
}

void promote(Course& course, const ReleaseSnapshot& snapshot, WallTime now) {
  course.traffic = snapshot.traffic.resting_at(snapshot.wanted);
  course.traffic.previous = snapshot.traffic.stable;
  course.traffic.promoted = now;
  course.phase = Phase::Healthy;
  course.canary.reset();
  course.message = fmt::format("{} is promoted; {} is kept to return to", snapshot.wanted,
                               snapshot.traffic.stable);
  course.notices.push_back({false, "Promoted", course.message});
}

// The weight after the present one.
int next_weight(const ReleaseSnapshot& snapshot) {
  const auto& steps = snapshot.policy->spec.steps;
  const auto step = static_cast<std::size_t>(step_of(steps, snapshot.traffic.weight));
  return step == steps.size() || snapshot.traffic.waived == 100 ? 100 : steps[step].weight;
}

// ---- where pods are the share: designs/011 ----

bool shares(const ReleaseSnapshot& snapshot, int weight) {
  return snapshot.router->shares_by_pods() && weight > 0 && weight < 100;
}

// A share is one beside the pods that stable keeps.
int kept_by_stable(const ReleaseSnapshot& snapshot) {
  return std::max(snapshot.spec().replicas, snapshot.revision(snapshot.traffic.stable).replicas());
}

int pods_needed(const ReleaseSnapshot& snapshot, int weight) {
  return snapshot.router->pods_for(weight, snapshot.spec().replicas, kept_by_stable(snapshot));
}

// The pods for the next step are there before its weight is written; more would be more than any weight that is earned.
int most_pods(const ReleaseSnapshot& snapshot) {
  const int kept = kept_by_stable(snapshot);
  return snapshot.router->pods_for(next_weight(snapshot), kept, kept);
}

// Revisions whose pods would take part in a share that is not theirs.
std::string others_with_pods(const ReleaseSnapshot& snapshot) {
  std::string names;
  for (const auto& [revision, view] : snapshot.revisions) {
    const bool takes_part = revision == snapshot.traffic.stable || revision == snapshot.wanted;
    if (!takes_part && view.has_pods()) names += (names.empty() ? "" : ", ") + revision;
  }
  return names;
}

// Stable lacks pods that may be waited for: not those that its own containers bring down, or a canary that mends them never serves.
bool waits_for_stable(const ReleaseSnapshot& snapshot, WallTime now) {
  const auto& stable = snapshot.revision(snapshot.traffic.stable);
  return stable.ready() < kept_by_stable(snapshot) &&
         !judge_pods(snapshot.policy->spec.pod_failure, stable, now).failure;
}

// Why the pods cannot be shared out yet to give the canary `weight`; "" = they can.
std::string waits_to_share(const ReleaseSnapshot& snapshot, int weight, WallTime now) {
  if (!shares(snapshot, weight)) return "";
  const auto& canary = snapshot.revision(snapshot.wanted);
  if (const auto others = others_with_pods(snapshot); !others.empty())
    return fmt::format("the pods of {} go first, or they would take part", others);
  if (waits_for_stable(snapshot, now))
    return fmt::format("{} of {} pods of {} ready: the share is one beside them",
                       snapshot.revision(snapshot.traffic.stable).ready(), kept_by_stable(snapshot),
                       snapshot.traffic.stable);
  const int most = most_pods(snapshot);
  if (std::max(canary.replicas(), canary.ready_endpoints) > most)
    return fmt::format("{} has more than the {} pods of that share", snapshot.wanted, most);
  return "";
}

// "25 %", and what that really is where pods are the share.
std::string share_text(const ReleaseSnapshot& snapshot, int weight) {
  const int canary = snapshot.revision(snapshot.wanted).ready_endpoints;
  const int all = canary + snapshot.revision(snapshot.traffic.stable).ready_endpoints;
  if (!shares(snapshot, weight) || all == 0) return fmt::format("{} %", weight);
  return fmt::format("{} % ({} of {} pods: {} %)", weight, canary, all,
                     (canary * 100 + all / 2) / all);
}

// Scale-ups apply at once, scale-downs after the release; but pods that are the share may not be too many.
int canary_pods(Course& course, const ReleaseSnapshot& snapshot, WallTime now) {
  const int weight = snapshot.traffic.weight;
  const int has = snapshot.revision(snapshot.wanted).replicas();
  const int needed = pods_needed(snapshot, weight);
  if (!snapshot.router->shares_by_pods() || weight == 100) return std::max(has, needed);
  const int most = most_pods(snapshot);
  if (has > most && weight > 0) return most;
  auto& accepted = course.canary->accepted;
  if (weight == 0 && route_shows(snapshot) && !accepted) accepted = now;
  if (has > most && accepted) {
    // They may have served until a moment ago.
    const auto drained = *accepted + snapshot.policy->spec.drain;
    if (now >= drained) return most;
    course.look_again_at(drained);
  }
  if (shares(snapshot, weight) && waits_for_stable(snapshot, now)) return std::max(has, 1);
  return std::max(has, needed);
}

// The present weight is held and judged well: scale for the next one, and go there once its pods are ready and none of them has
// a reason to wait.
void advance(Course& course, const ReleaseSnapshot& snapshot, const std::string& holding,
             WallTime now) {
  const auto& steps = snapshot.policy->spec.steps;
  const bool last = step_of(steps, snapshot.traffic.weight) == static_cast<int>(steps.size());
  const int weight = next_weight(snapshot);
  const int needed = pods_needed(snapshot, weight);
  const auto& canary = snapshot.revision(snapshot.wanted);
  const auto waits = waits_to_share(snapshot, weight, now);
  const auto& why = holding.empty() ? waits : holding;
  auto& pods = course.pods[snapshot.wanted];
  if (waits.empty() || snapshot.traffic.weight == 0) pods = std::max(pods, needed);
  if (!canary.service || canary.ready() < needed) {
    course.message = fmt::format("{} of {} pods ready for {} %{}", canary.ready(), needed, weight,
                                 and_also(why));
  } else if (!why.empty()) {
    course.message = fmt::format("waiting at {} %: {}", snapshot.traffic.weight, why);
  } else if (last) {
    promote(course, snapshot, now);
  } else {
    set_weight(course, weight, "WeightSet",
               fmt::format("{} gets {}", snapshot.wanted, share_text(snapshot, weight)));
    course.traffic.raised = now;
  }
}

// True when the present weight has been accepted and its pods ready without a break for the step's hold.
bool held(Course& course, const ReleaseSnapshot& snapshot, WallTime now) {
  CanaryStatus& canary = *course.canary;
  const int weight = snapshot.traffic.weight;
  const int needed = pods_needed(snapshot, weight);
  const bool accepted = route_shows(snapshot);
  const bool ready = canary.ready >= needed;
  if (!accepted) canary.accepted.reset();
  if (accepted && !canary.accepted) canary.accepted = now;
  // Told by the write that puts the weights back: the status that forgets the stay may be lost.
  if (!has_its_weights(snapshot)) course.traffic.raised = now;
  if (!accepted || !ready) canary.since.reset();
  if (accepted && ready && !canary.since) canary.since = now;
  if (const auto whole = snapshot.revision(snapshot.wanted).ready_since(needed);
      canary.since && whole)
    canary.since = std::max(*canary.since, std::min(*whole, now));
  if (canary.accepted) course.judged_from = *canary.accepted + snapshot.policy->spec.judge.warmup;
  if (!accepted) reached(SimPoint::RouteNotAccepted);
  if (accepted && !ready) reached(SimPoint::HoldRestarted);
  if (!accepted) {
    course.message = fmt::format("waiting for the gateway to accept {} %{}{}", weight,
                                 snapshot.route_state.not_accepted.empty() ? "" : ": ",
                                 snapshot.route_state.not_accepted);
  } else if (!ready) {
    course.message = fmt::format("{} of {} pods ready at {} %; the hold starts again when they are",
                                 canary.ready, needed, weight);
  }
  if (!canary.since) return false;
  const auto& step = step_held(snapshot.policy->spec, canary);
  const auto until = *canary.since + step.hold;
  if (now >= until) return true;
  const bool early = snapshot.policy->spec.judge.advance == Advance::Early;
  course.message =
      fmt::format("holding {} until {}{}", share_text(snapshot, weight), format_time(until),
                  early ? ", or until this weight alone has shown enough" : "");
  course.look_again_at(until);
  return false;
}

// The hold is over but the judge does not let it go on.
void wait_for_judge(Course& course, const ReleaseSnapshot& snapshot, const std::string& why,
                    WallTime now) {
  reached(SimPoint::JudgeHolds);
  const auto& policy = snapshot.policy->spec;
  const auto& step = step_held(policy, *course.canary);
  const auto limit = *course.canary->since + step.hold + policy.max_hold;
  if (now < limit) {
    course.message =
        fmt::format("holding {}: {}; a person is asked after {}",
                    share_text(snapshot, snapshot.traffic.weight), why, format_time(limit));
    course.look_again_at(limit);
  } else {
    course.phase = Phase::AwaitingApproval;
    course.message = fmt::format("waiting for a person at {} %: {}", snapshot.traffic.weight, why);
  }
}

// Why the canary cannot have its share now; "" = it can.
std::string must_give_back(const ReleaseSnapshot& snapshot) {
  const int weight = snapshot.traffic.weight;
  if (snapshot.revision(snapshot.wanted).ready_endpoints == 0)
    return fmt::format("no pod of {} is ready to serve its {} %", snapshot.wanted, weight);
  const auto others = shares(snapshot, weight) ? others_with_pods(snapshot) : "";
  return others.empty() ? "" : fmt::format("pods of {} would take part", others);
}

// Stable takes the share, and the steps begin anew.
void give_back(Course& course, const std::string& why) {
  set_weight(course, 0, "WeightSet", why + ": stable serves everything");
  course.notices.back().warning = true;
  reached(SimPoint::CanaryGivesBack);
  course.traffic.waived = 0;
  course.traffic.raised.reset();
  course.canary->weight = 0;
  course.canary->step = 0;
  course.canary->accepted.reset();
  course.canary->since.reset();
}

// A person said that this hold need not end. The weight must still be accepted, and its pods ready.
bool is_waived(const Course& course, const ReleaseSnapshot& snapshot) {
  return snapshot.traffic.weight <= snapshot.traffic.waived && course.canary->since;
}

// What this weight alone has shown is enough. The weight must still be accepted, and its pods ready.
bool ends_early(const Course& course, const Ruling& ruling) {
  if (!ruling.may_advance_early || !course.canary->since) return false;
  reached(SimPoint::HoldEndedEarly);
  return true;
}

void at_weight(Course& course, const ReleaseSnapshot& snapshot, const std::string& holding,
               WallTime now) {
  const int weight = snapshot.traffic.weight;
  const bool hold_over = held(course, snapshot, now);
  if (!hold_over) course.message += and_also(holding);
  const Occasion occasion{now, course.judged_from, hold_over, weight == 100};
  Ruling ruling = judge(snapshot.policy->spec, snapshot.evidence, occasion);
  course.judgements = ruling.judgements;
  if (ruling.breach) reached(SimPoint::RolledBackAtStep);
  if (ruling.breach)
    roll_back(course, snapshot.traffic.stable,
              mark_of(snapshot.wanted, *ruling.breach, snapshot.evidence, now));
  else if (const auto why = must_give_back(snapshot); !why.empty())
    give_back(course, why);
  else if (snapshot.is_paused())
    pause(course, snapshot, fmt::format("{} keeps its {} %", snapshot.wanted, weight));
  else if ((hold_over && ruling.may_advance) || is_waived(course, snapshot) ||
           ends_early(course, ruling))
    advance(course, snapshot, holding, now);
  else if (hold_over)
    wait_for_judge(course, snapshot, ruling.holding, now);
}

// A gateway takes a rise up within a moment; a status in between would be written once more right after. One that takes longer is told.
bool is_settling(const Course& course, const ReleaseSnapshot& snapshot, WallTime now) {
  const auto& raised = course.traffic.raised;
  if (!raised || now < *raised || now >= *raised + kSettles) return false;
  // Once it was taken up, a break must be remembered.
  const auto& known = snapshot.release->status.canary;
  if (known && known->accepted && known->weight == course.traffic.weight) return false;
  const bool rises = course.traffic.weight > snapshot.traffic.weight;
  return course.phase == Phase::Progressing && (rises || !route_shows(snapshot));
}

// Who has no pods cannot take over the share of a canary that serves.
bool only_canary_serves(const ReleaseSnapshot& snapshot) {
  const auto& traffic = snapshot.traffic;
  return traffic.weight > 0 && snapshot.revision(traffic.stable).ready_endpoints == 0 &&
         snapshot.revision(traffic.canary).ready_endpoints > 0;
}

void wait_for_stable(Course& course, const ReleaseSnapshot& snapshot, WallTime now) {
  const auto& traffic = snapshot.traffic;
  reached(SimPoint::SupersedingWaits);
  course.pods[traffic.canary] = snapshot.revision(traffic.canary).replicas();
  course.canary = known_canary(snapshot);
  course.phase = Phase::Degraded;
  course.message = fmt::format("{} waits: stable {} has no ready pod, {} keeps its {} %",
                               snapshot.wanted, traffic.stable, traffic.canary, traffic.weight);
  judge_as_it_stands(course, snapshot, traffic.stable, now);
}

void begin(Course& course, const ReleaseSnapshot& snapshot, WallTime now) {
  if (snapshot.traffic.weight > 0) reached(SimPoint::Superseded);
  if (snapshot.is_paused()) {
    pause(course, snapshot, fmt::format("{} waits", snapshot.wanted));
    return;
  }
  course.traffic.canary = snapshot.wanted;
  course.canary = canary_status(snapshot, course.traffic, now);
  course.message = fmt::format("release of {} begins", snapshot.wanted);
  course.pods[snapshot.wanted] =
      std::max(snapshot.revision(snapshot.wanted).replicas(),
               pods_needed(snapshot, snapshot.policy->spec.steps.front().weight));
  course.notices.push_back({false, "ReleaseStarted", course.message});
}

Course next_step(const ReleaseSnapshot& snapshot, WallTime now) {
  Course course;
  const auto& stable = snapshot.revision(snapshot.traffic.stable);
  course.phase = Phase::Progressing;
  course.traffic = snapshot.traffic;
  // Scale-ups apply at once, scale-downs after the release.
  course.pods[snapshot.traffic.stable] = std::max(stable.replicas(), snapshot.spec().replicas);
  const bool begins = snapshot.traffic.canary != snapshot.wanted;
  const bool waits = begins && only_canary_serves(snapshot);
  if (begins && !waits) course.traffic = snapshot.traffic.resting_at(snapshot.traffic.stable);
  if (!snapshot.policy) {
    stall(course, "PolicyNotUsable", snapshot.policy.error().message);
    course.phase = Phase::Degraded;
    return course;
  }
  if (waits) {
    wait_for_stable(course, snapshot, now);
    return course;
  }
  if (begins) {
    begin(course, snapshot, now);
    return course;
  }
  course.canary = canary_status(snapshot, course.traffic, now);
  course.pods[snapshot.wanted] = canary_pods(course, snapshot, now);
  const auto pods = judge_pods_of(course, snapshot, snapshot.wanted, snapshot.traffic.stable, now);
  if (pods.failure) return course;
  if (snapshot.traffic.weight > 0)
    at_weight(course, snapshot, pods.holding, now);
  else if (snapshot.is_paused())
    pause(course, snapshot, fmt::format("{} gets no traffic yet", snapshot.wanted));
  else
    advance(course, snapshot, pods.holding, now);
  return course;
}

}  // namespace

Course take_steps(const ReleaseSnapshot& snapshot, WallTime now) {
  Course course = next_step(snapshot, now);
  course.settling = is_settling(course, snapshot, now);
  if (course.settling) course.look_again_at(*course.traffic.raised + kSettles);
  return course;
}

}  // namespace weir
