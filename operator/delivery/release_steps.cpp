#include "delivery/release_steps.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/sim_point.h"
#include "base/time_format.h"
#include "delivery/course_moves.h"

namespace weir {
namespace {

using Steps = std::vector<PolicyStep>;

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
  if (known->weight == traffic.weight) {
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

// The present weight is held and judged well: scale for the next one, and go there once its pods are ready and none of them has
// a reason to wait.
void advance(Course& course, const ReleaseSnapshot& snapshot, const std::string& holding,
             WallTime now) {
  const auto& steps = snapshot.policy->spec.steps;
  const int step = step_of(steps, snapshot.traffic.weight);
  const bool last = step == static_cast<int>(steps.size());
  const bool at_once = snapshot.traffic.waived == 100;
  const int weight = last || at_once ? 100 : steps[static_cast<std::size_t>(step)].weight;
  const int needed = pods_for(weight, snapshot.spec().replicas);
  const auto& canary = snapshot.revision(snapshot.wanted);
  course.pods[snapshot.wanted] = std::max(canary.replicas(), needed);
  if (!canary.service || canary.ready() < needed) {
    course.message = fmt::format("{} of {} pods ready for {} %{}", canary.ready(), needed, weight,
                                 and_also(holding));
  } else if (!holding.empty()) {
    course.message = fmt::format("waiting at {} %: {}", snapshot.traffic.weight, holding);
  } else if (last) {
    promote(course, snapshot, now);
  } else {
    set_weight(course, weight, "WeightSet", fmt::format("{} gets {} %", snapshot.wanted, weight));
  }
}

// True when the present weight has been accepted and its pods ready without a break for the step's hold.
bool held(Course& course, const ReleaseSnapshot& snapshot, WallTime now) {
  CanaryStatus& canary = *course.canary;
  const int weight = snapshot.traffic.weight;
  const int needed = pods_for(weight, snapshot.spec().replicas);
  const bool accepted = route_shows(snapshot);
  const bool ready = canary.ready >= needed;
  if (!accepted) canary.accepted.reset();
  if (accepted && !canary.accepted) canary.accepted = now;
  if (!accepted || !ready) canary.since.reset();
  if (accepted && ready && !canary.since) canary.since = now;
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
  course.message = fmt::format("holding {} % until {}", weight, format_time(until));
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
    course.message = fmt::format("holding {} %: {}; a person is asked after {}",
                                 snapshot.traffic.weight, why, format_time(limit));
    course.look_again_at(limit);
  } else {
    course.phase = Phase::AwaitingApproval;
    course.message = fmt::format("waiting for a person at {} %: {}", snapshot.traffic.weight, why);
  }
}

// Nobody is there to serve the canary's share: stable takes it, and the steps begin anew when pods are ready again.
void give_back(Course& course, const ReleaseSnapshot& snapshot) {
  set_weight(course, 0, "WeightSet",
             fmt::format("no pod of {} is ready to serve its {} %: stable serves everything",
                         snapshot.wanted, snapshot.traffic.weight));
  course.notices.back().warning = true;
  reached(SimPoint::CanaryGivesBack);
  course.traffic.waived = 0;
  course.canary->weight = 0;
  course.canary->step = 0;
  course.canary->accepted.reset();
  course.canary->since.reset();
}

// A person said that this hold need not end. The weight must still be accepted, and its pods ready.
bool is_waived(const Course& course, const ReleaseSnapshot& snapshot) {
  return snapshot.traffic.weight <= snapshot.traffic.waived && course.canary->since;
}

void at_weight(Course& course, const ReleaseSnapshot& snapshot, const std::string& holding,
               WallTime now) {
  const int weight = snapshot.traffic.weight;
  const bool hold_over = held(course, snapshot, now);
  if (!hold_over) course.message += and_also(holding);
  Ruling ruling =
      judge(snapshot.policy->spec, snapshot.evidence, course.judged_from, now, hold_over);
  course.judgements = ruling.judgements;
  if (ruling.breach) reached(SimPoint::RolledBackAtStep);
  if (ruling.breach)
    roll_back(course, snapshot.traffic.stable,
              mark_of(snapshot.wanted, *ruling.breach, snapshot.evidence, now));
  else if (snapshot.revision(snapshot.wanted).ready_endpoints == 0)
    give_back(course, snapshot);
  else if (snapshot.is_paused())
    pause(course, snapshot, fmt::format("{} keeps its {} %", snapshot.wanted, weight));
  else if ((hold_over && ruling.may_advance) || is_waived(course, snapshot))
    advance(course, snapshot, holding, now);
  else if (hold_over)
    wait_for_judge(course, snapshot, ruling.holding, now);
}

}  // namespace

Course take_steps(const ReleaseSnapshot& snapshot, WallTime now) {
  Course course;
  const auto& stable = snapshot.revision(snapshot.traffic.stable);
  course.phase = Phase::Progressing;
  course.traffic = snapshot.traffic;
  // Scale-ups apply at once, scale-downs after the release.
  course.pods[snapshot.traffic.stable] = std::max(stable.replicas(), snapshot.spec().replicas);
  const bool begins = snapshot.traffic.canary != snapshot.wanted;
  if (begins && snapshot.traffic.weight > 0) reached(SimPoint::Superseded);
  if (begins) course.traffic = snapshot.traffic.resting_at(snapshot.traffic.stable);
  if (!snapshot.policy) {
    stall(course, "PolicyNotUsable", snapshot.policy.error().message);
    course.phase = Phase::Degraded;
    return course;
  }
  if (begins && snapshot.is_paused()) {
    pause(course, snapshot, fmt::format("{} waits", snapshot.wanted));
    return course;
  }
  course.traffic.canary = snapshot.wanted;
  course.canary = canary_status(snapshot, course.traffic, now);
  if (begins) {
    course.message = fmt::format("release of {} begins", snapshot.wanted);
    course.pods[snapshot.wanted] =
        pods_for(snapshot.policy->spec.steps.front().weight, snapshot.spec().replicas);
    course.notices.push_back({false, "ReleaseStarted", course.message});
    return course;
  }
  course.pods[snapshot.wanted] =
      std::max(snapshot.revision(snapshot.wanted).replicas(),
               pods_for(snapshot.traffic.weight, snapshot.spec().replicas));
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

}  // namespace weir
