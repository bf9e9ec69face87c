#include "delivery/release_course.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/time_format.h"

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

// The data plane has accepted just the weights that we last wrote.
bool route_shows(const ReleaseSnapshot& snapshot) {
  const auto& backends = snapshot.route_state.backends;
  const auto agrees = [&](const Backend& b) {
    return b.weight == snapshot.traffic.weight_of(b.revision);
  };
  const auto sum = [](int total, const Backend& b) { return total + b.weight; };
  return snapshot.route_state.accepted && std::all_of(backends.begin(), backends.end(), agrees) &&
         std::accumulate(backends.begin(), backends.end(), 0, sum) == 100;
}

void stall(Course& course, std::string reason, std::string message) {
  course.stalled = true;
  course.stalled_reason = std::move(reason);
  course.message = std::move(message);
}

void roll_back(Course& course, const std::string& revision, const std::string& to,
               const Judgement& why, const Evidence& evidence, WallTime now) {
  const auto seen = evidence.find(why.objective->name);
  RollbackMark mark{revision, why.objective->name, why.message,
                    seen == evidence.end() ? std::nullopt : seen->second.bad_since, now};
  course.traffic = Traffic{to, "", 0, "", std::nullopt, mark};
  course.phase = Phase::RollingBack;
  course.canary.reset();
  course.message = fmt::format("taking {} back: {}: {}", revision, mark.reason, mark.message);
  course.notices.push_back({true, "RolledBack", course.message});
}

// ---- the spec cannot be used: nothing moves but back ----

Course hands_off(const ReleaseSnapshot& snapshot, std::string reason, std::string message,
                 WallTime now) {
  Course course;
  const auto& traffic = snapshot.traffic;
  course.traffic = traffic;
  course.hands_off = true;
  course.phase = traffic.stable.empty() ? Phase::Pending : Phase::Degraded;
  course.canary = snapshot.release->status.canary;
  stall(course, std::move(reason), std::move(message));
  if (!snapshot.policy || snapshot.judged.empty()) return course;
  Ruling ruling = judge(snapshot.policy->spec, snapshot.evidence, now, false);
  course.judgements = ruling.judgements;
  const auto& back_to = snapshot.judged == traffic.canary ? traffic.stable : traffic.previous;
  if (ruling.breach)
    roll_back(course, snapshot.judged, back_to, *ruling.breach, snapshot.evidence, now);
  return course;
}

// ---- no revision has served yet: straight to 100 % when ready ----

Course first_revision(const ReleaseSnapshot& snapshot) {
  Course course;
  const int replicas = snapshot.spec().replicas;
  if (!snapshot.policy) {
    stall(course, "PolicyNotUsable", snapshot.policy.error().message);
    return course;
  }
  const auto& first = snapshot.revision(snapshot.wanted);
  course.pods[snapshot.wanted] = replicas;
  course.traffic = snapshot.traffic;
  course.message = fmt::format("first revision {}: {} of {} pods ready", snapshot.wanted,
                               first.ready(), replicas);
  if (first.replica_set && first.service && first.ready() >= replicas) {
    course.traffic.stable = snapshot.wanted;
    course.notices.push_back({false, "FirstRevision", fmt::format("{} serves", snapshot.wanted)});
  }
  return course;
}

// ---- the spec asks for what is stable ----

// After 100 % the new revision is still judged, and the one before it still there to return to.
void keep_watch(Course& course, const ReleaseSnapshot& snapshot, WallTime now) {
  const auto& traffic = snapshot.traffic;
  if (!traffic.promoted || traffic.previous.empty() || !snapshot.policy) return;
  const auto& policy = snapshot.policy->spec;
  const auto watch_until = *traffic.promoted + policy.watch;
  const auto warm_until =
      *traffic.promoted + std::max(policy.watch, snapshot.spec().keep_warm.duration);
  const int full =
      std::max(snapshot.revision(traffic.previous).replicas(), snapshot.spec().replicas);
  if (now < watch_until) {
    course.watch_until = watch_until;
    course.judged_from = *traffic.promoted;
    course.pods[traffic.previous] = full;
    course.look_again_at(watch_until);
    Ruling ruling = judge(policy, snapshot.evidence, now, false);
    course.judgements = ruling.judgements;
    if (ruling.breach)
      roll_back(course, traffic.stable, traffic.previous, *ruling.breach, snapshot.evidence, now);
    else
      course.message = fmt::format("{} serves everything; watched until {}, {} kept to return to",
                                   traffic.stable, format_time(watch_until), traffic.previous);
  } else if (now < warm_until) {
    course.pods[traffic.previous] =
        pods_for(snapshot.spec().keep_warm.replicas_percent, snapshot.spec().replicas);
    course.look_again_at(warm_until);
    course.message = fmt::format("{} serves everything; {} kept warm until {}", traffic.stable,
                                 traffic.previous, format_time(warm_until));
  }
}

Course at_stable(const ReleaseSnapshot& snapshot, WallTime now) {
  Course course;
  const auto& stable = snapshot.revision(snapshot.traffic.stable);
  const int replicas = snapshot.spec().replicas;
  course.traffic = snapshot.traffic;
  course.pods[snapshot.traffic.stable] = replicas;
  if (!snapshot.traffic.canary.empty()) {
    course.traffic.canary.clear();
    course.traffic.weight = 0;
    course.notices.push_back({false, "Reverted",
                              fmt::format("the spec asks for {} again; {} gets no traffic",
                                          snapshot.wanted, snapshot.traffic.canary)});
  }
  course.phase = Phase::Healthy;
  course.message = fmt::format("{} serves everything", snapshot.traffic.stable);
  keep_watch(course, snapshot, now);
  if (course.phase != Phase::Healthy) return course;
  if (stable.ready() < replicas) {
    course.phase = Phase::Degraded;
    course.message = fmt::format("{} of {} pods of {} are ready", stable.ready(), replicas,
                                 snapshot.traffic.stable);
  } else if (!route_shows(snapshot)) {
    course.phase = Phase::Progressing;
    course.message = fmt::format("waiting for the gateway to take up the route: {}",
                                 snapshot.route_state.not_accepted);
  }
  return course;
}

// ---- the spec asks for a revision that was taken back ----

Course rolled_back(const ReleaseSnapshot& snapshot) {
  Course course;
  const auto& mark = *snapshot.traffic.rollback;
  course.traffic = snapshot.traffic;
  course.traffic.canary.clear();
  course.traffic.weight = 0;
  course.pods[snapshot.traffic.stable] = snapshot.spec().replicas;
  const bool over = route_shows(snapshot) && !snapshot.revision(mark.revision).has_pods();
  course.phase = over ? Phase::RolledBack : Phase::RollingBack;
  course.message = fmt::format("{} was taken back{}: {}: {}; {} serves until the spec changes",
                               mark.revision, over ? "" : ", its pods are draining", mark.reason,
                               mark.message, snapshot.traffic.stable);
  return course;
}

// ---- a release is under way ----

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
  course.traffic = Traffic{snapshot.wanted, "", 0, snapshot.traffic.stable, now, std::nullopt};
  course.phase = Phase::Healthy;
  course.canary.reset();
  course.message = fmt::format("{} is promoted; {} is kept to return to", snapshot.wanted,
                               snapshot.traffic.stable);
  course.notices.push_back({false, "Promoted", course.message});
}

// The present weight is held and judged well: scale for the next one, and go there once its pods are ready.
void advance(Course& course, const ReleaseSnapshot& snapshot, WallTime now) {
  const auto& steps = snapshot.policy->spec.steps;
  const int step = step_of(steps, snapshot.traffic.weight);
  const bool last = step == static_cast<int>(steps.size());
  const int weight = last ? 100 : steps[static_cast<std::size_t>(step)].weight;
  const int needed = pods_for(weight, snapshot.spec().replicas);
  const auto& canary = snapshot.revision(snapshot.wanted);
  course.pods[snapshot.wanted] = std::max(canary.replicas(), needed);
  if (!canary.service || canary.ready() < needed) {
    course.message = fmt::format("{} of {} pods ready for {} %", canary.ready(), needed, weight);
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

void at_weight(Course& course, const ReleaseSnapshot& snapshot, WallTime now) {
  const bool hold_over = held(course, snapshot, now);
  Ruling ruling = judge(snapshot.policy->spec, snapshot.evidence, now, hold_over);
  course.judgements = ruling.judgements;
  if (ruling.breach)
    roll_back(course, snapshot.wanted, snapshot.traffic.stable, *ruling.breach, snapshot.evidence,
              now);
  else if (hold_over && ruling.may_advance)
    advance(course, snapshot, now);
  else if (hold_over)
    wait_for_judge(course, snapshot, ruling.holding, now);
}

Course in_release(const ReleaseSnapshot& snapshot, WallTime now) {
  Course course;
  const auto& stable = snapshot.revision(snapshot.traffic.stable);
  course.phase = Phase::Progressing;
  course.traffic = snapshot.traffic;
  // Scale-ups apply at once, scale-downs after the release.
  course.pods[snapshot.traffic.stable] = std::max(stable.replicas(), snapshot.spec().replicas);
  const bool begins = snapshot.traffic.canary != snapshot.wanted;
  if (begins)
    course.traffic = Traffic{snapshot.traffic.stable, "", 0, "", std::nullopt, std::nullopt};
  if (!snapshot.policy) {
    stall(course, "PolicyNotUsable", snapshot.policy.error().message);
    course.phase = Phase::Degraded;
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
  if (snapshot.traffic.weight == 0)
    advance(course, snapshot, now);
  else
    at_weight(course, snapshot, now);
  return course;
}

}  // namespace

int pods_for(int weight, int replicas) {
  if (weight <= 0 || replicas <= 0) return 0;
  return std::max(1, (weight * replicas + 99) / 100);
}

Course chart_course(const ReleaseSnapshot& snapshot, WallTime now) {
  const auto& traffic = snapshot.traffic;
  if (!snapshot.pod_template)
    return hands_off(snapshot, "InvalidSpec", snapshot.pod_template.error().message, now);
  if (!snapshot.router)
    return hands_off(snapshot, "UnknownRouter", "spec.traffic.type: no such router is built in",
                     now);
  if (traffic.stable.empty()) return first_revision(snapshot);
  if (snapshot.wanted == traffic.stable) return at_stable(snapshot, now);
  if (traffic.rollback && traffic.rollback->revision == snapshot.wanted)
    return rolled_back(snapshot);
  return in_release(snapshot, now);
}

}  // namespace weir
