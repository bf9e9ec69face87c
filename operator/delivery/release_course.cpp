#include "delivery/release_course.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/sim_point.h"
#include "base/time_format.h"
#include "delivery/adoption.h"
#include "delivery/course_moves.h"
#include "delivery/release_steps.h"
#include "delivery/requests.h"

namespace weir {
namespace {

// ---- the spec cannot be used: nothing moves but back ----

Course hands_off(const ReleaseSnapshot& snapshot, std::string reason, std::string message,
                 WallTime now) {
  Course course;
  reached(SimPoint::HandsOff);
  const auto& traffic = snapshot.traffic;
  course.traffic = traffic;
  course.hands_off = true;
  course.phase = traffic.stable.empty() ? Phase::Pending : Phase::Degraded;
  course.canary = known_canary(snapshot);
  stall(course, std::move(reason), std::move(message));
  if (!snapshot.policy || snapshot.judged.empty()) return course;
  const bool watched = snapshot.judged != traffic.canary;
  if (watched && now >= *traffic.promoted + snapshot.policy->spec.watch) return course;
  judge_as_it_stands(course, snapshot, watched ? traffic.previous : traffic.stable, now);
  return course;
}

// ---- the content of spec.config is not known: nothing moves but back ----

Course without_config(const ReleaseSnapshot& snapshot, WallTime now) {
  const auto& fault = snapshot.config.fault;
  return hands_off(snapshot, "ConfigNotUsable",
                   fault ? fault->message : "what spec.config names is being read", now);
}

// ---- no revision has served yet: straight to 100 % when ready ----

// For a revision with nothing to return to: what its pods suffer from is only said.
std::string told_by_pods(const ReleaseSnapshot& snapshot, const std::string& revision,
                         WallTime now) {
  const auto rules = snapshot.policy ? snapshot.policy->spec.pod_failure : PodFailureRules{};
  const auto ruling = judge_pods(rules, snapshot.revision(revision), now);
  return ruling.failure ? ruling.failure->message : ruling.holding;
}

// `name`: who is to serve.
Course first_revision(const ReleaseSnapshot& snapshot, const std::string& name, WallTime now) {
  Course course;
  const int replicas = snapshot.spec().replicas;
  if (!snapshot.policy) {
    stall(course, "PolicyNotUsable", snapshot.policy.error().message);
    return course;
  }
  const auto& first = snapshot.revision(name);
  course.traffic = snapshot.traffic;
  if (snapshot.is_paused()) {
    if (first.replica_set) course.pods[name] = first.replicas();
    pause(course, snapshot, fmt::format("{} waits", name));
    return course;
  }
  // All that an adopted one has serve already.
  const int wanted = snapshot.deployment ? std::max(replicas, first.replicas()) : replicas;
  course.pods[name] = wanted;
  course.message = fmt::format("first revision {}: {} of {} pods ready{}", name, first.ready(),
                               wanted, and_also(told_by_pods(snapshot, name, now)));
  if (first.replica_set && first.service && first.ready() >= wanted) {
    course.traffic = snapshot.traffic.resting_at(name);
    course.notices.push_back({false, "FirstRevision", fmt::format("{} serves", name)});
  }
  return course;
}

// ---- a live Deployment is taken over: nothing else moves ----

void add_adoption(Course& course, Adoption adoption) {
  course.adoption = std::move(adoption.actions);
  if (adoption.look_again) course.look_again_at(*adoption.look_again);
}

Course adopting(const ReleaseSnapshot& snapshot, Adoption adoption) {
  Course course;
  course.traffic = snapshot.traffic;
  course.hands_off = true;
  course.quiet = adoption.message.empty();
  if (adoption.blocked.empty())
    course.message = adoption.message;
  else
    stall(course, adoption.blocked, adoption.message);
  add_adoption(course, std::move(adoption));
  return course;
}

// ---- stable is gone: its template stood nowhere but in its ReplicaSet ----

// Pods that serve outlive the labels of their ReplicaSet: it may only be out of sight.
bool stable_is_gone(const ReleaseSnapshot& snapshot) {
  const auto& view = snapshot.revision(snapshot.traffic.stable);
  return !view.replica_set && view.ready_endpoints == 0;
}

// Nothing is left to protect or to return to. A canary that serves keeps its share until the spec's revision can take everything.
Course replace_stable(const ReleaseSnapshot& snapshot, WallTime now) {
  reached(SimPoint::StableGone);
  Course course = first_revision(snapshot, snapshot.wanted, now);
  const auto& canary = snapshot.traffic.canary;
  if (!canary.empty() && canary != snapshot.wanted)
    course.pods[canary] = snapshot.revision(canary).replicas();
  course.canary = known_canary(snapshot);
  if (course.phase == Phase::Pending) course.phase = Phase::Degraded;
  course.message = fmt::format("the ReplicaSet of stable {} is gone and cannot be made again; {}",
                               snapshot.traffic.stable, course.message);
  return course;
}

// ---- the spec asks for what is stable ----

// `in_time`: the watch is not over. A breach that was seen in it counts after it, too, as long as there is whom to return to: the write
// that took the revision back may have been given up.
void judge_watched(Course& course, const ReleaseSnapshot& snapshot, bool in_time, WallTime now) {
  const auto& traffic = snapshot.traffic;
  const Occasion occasion{now, *traffic.promoted, false, true};
  Ruling ruling = judge(snapshot.policy->spec, snapshot.evidence, occasion);
  if (in_time) course.judgements = ruling.judgements;
  if (ruling.breach) {
    reached(SimPoint::RolledBackInWatch);
    roll_back(course, traffic.previous,
              mark_of(traffic.stable, *ruling.breach, snapshot.evidence, now));
  } else if (in_time) {
    judge_pods_of(course, snapshot, traffic.stable, traffic.previous, now);
  }
}

// After 100 % the new revision is still judged, and the one before it still there to return to.
void keep_watch(Course& course, const ReleaseSnapshot& snapshot, WallTime now) {
  const auto& traffic = snapshot.traffic;
  if (!traffic.promoted || traffic.previous.empty() || !snapshot.policy) return;
  const auto watch_until = *traffic.promoted + snapshot.policy->spec.watch;
  const auto warm_until =
      std::max(watch_until, *traffic.promoted + milliseconds(snapshot.spec().keep_warm.duration));
  const auto& previous = snapshot.revision(traffic.previous);
  const int full = std::max(previous.replicas(), snapshot.spec().replicas);
  const bool in_time = now < watch_until;
  if (in_time) {
    course.watch_until = watch_until;
    course.judged_from = *traffic.promoted;
    course.pods[traffic.previous] = full;
    course.look_again_at(watch_until);
    course.message = fmt::format("{} serves everything; watched until {}, {} kept to return to",
                                 traffic.stable, format_time(watch_until), traffic.previous);
  } else if (now < warm_until) {
    course.pods[traffic.previous] =
        pods_for(snapshot.spec().keep_warm.replicas_percent, snapshot.spec().replicas);
    course.look_again_at(warm_until);
    course.message = fmt::format("{} serves everything; {} kept warm until {}", traffic.stable,
                                 traffic.previous, format_time(warm_until));
  }
  if (in_time || previous.ready() >= full) judge_watched(course, snapshot, in_time, now);
}

// Who had no weight has left the route: for callers nothing changes, whether the gateway has looked at it or not.
bool is_tidied(const ReleaseSnapshot& snapshot) {
  const auto& status = snapshot.release->status;
  const auto serves_alone = [&](const WeightStatus& weight) {
    return weight.revision == snapshot.traffic.stable ? weight.weight == 100 : weight.weight == 0;
  };
  return snapshot.route_state.pending && status.phase == Phase::Healthy &&
         !status.weights.empty() &&
         std::all_of(status.weights.begin(), status.weights.end(), serves_alone);
}

Course at_stable(const ReleaseSnapshot& snapshot, WallTime now) {
  Course course;
  const auto& stable = snapshot.revision(snapshot.traffic.stable);
  const int replicas = snapshot.spec().replicas;
  course.traffic = snapshot.traffic;
  course.pods[snapshot.traffic.stable] = replicas;
  if (!snapshot.traffic.canary.empty()) {
    reached(SimPoint::Reverted);
    course.traffic.canary.clear();
    course.traffic.weight = course.traffic.waived = 0;
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
    course.message = fmt::format("{} of {} pods of {} are ready{}", stable.ready(), replicas,
                                 snapshot.traffic.stable,
                                 and_also(told_by_pods(snapshot, snapshot.traffic.stable, now)));
  } else if (!route_shows(snapshot) && !is_tidied(snapshot)) {
    course.phase = Phase::Progressing;
    course.message = fmt::format("waiting for the gateway to take up the route: {}",
                                 snapshot.route_state.not_accepted);
  }
  return course;
}

// ---- the spec asks for a revision that was taken back ----

Course rolled_back(const ReleaseSnapshot& snapshot, WallTime now) {
  Course course;
  const auto& mark = *snapshot.traffic.rollback;
  course.traffic = snapshot.traffic;
  course.traffic.canary.clear();
  course.traffic.weight = 0;
  course.pods[snapshot.traffic.stable] = snapshot.spec().replicas;
  // Once it has left the route, the gateway's view of what is left there changes nothing any more.
  const bool over = (route_shows(snapshot) || !stands_in_route(snapshot, mark.revision)) &&
                    !snapshot.revision(mark.revision).has_pods();
  course.phase = over ? Phase::RolledBack : Phase::RollingBack;
  course.message = fmt::format("{} was taken back{}: {}: {}; {} serves until the spec changes",
                               mark.revision, over ? "" : ", its pods are draining", mark.reason,
                               mark.message, snapshot.traffic.stable);
  if (is_news(mark, snapshot.release->status) && snapshot.policy)
    course.judgements = judge(snapshot.policy->spec, snapshot.evidence, {now}).judgements;
  return course;
}

// ---- a person has asked for an older revision ----

// It serves as soon as it has the pods for everything; the spec's revision gets nothing until it changes or somebody asks for it.
Course go_back(const ReleaseSnapshot& snapshot, WallTime now) {
  Course course;
  const auto& traffic = snapshot.traffic;
  const int replicas = snapshot.spec().replicas;
  const auto& view = snapshot.revision(traffic.returning);
  course.traffic = traffic;
  course.phase = Phase::RollingBack;
  course.pods[traffic.stable] = std::max(replicas, snapshot.revision(traffic.stable).replicas());
  course.pods[traffic.returning] = std::max(replicas, view.replicas());
  // Should the older one turn out to be gone, the watch goes on, and a breach must find the one before.
  if (!traffic.previous.empty() && traffic.previous != traffic.returning)
    course.pods[traffic.previous] = snapshot.revision(traffic.previous).replicas();
  course.message = fmt::format("{} of {} pods of {} ready; {} serves until then", view.ready(),
                               replicas, traffic.returning, traffic.stable);
  if (!view.replica_set || view.lacks_config()) {
    course.traffic.returning.clear();
    course.notices.push_back({true, "RevisionGone", fmt::format("{} is gone", traffic.returning)});
  } else if (view.service && view.ready() >= replicas) {
    auto mark = traffic.rollback;
    if (!mark)
      mark = RollbackMark{snapshot.wanted, std::string(kRequestedRollback),
                          fmt::format("{} was asked for", traffic.returning), std::nullopt, now};
    course.traffic = traffic.resting_at(traffic.returning);
    course.traffic.rollback = mark;
    reached(SimPoint::ReturnedByRequest);
    course.message = fmt::format("{} serves instead of {}", traffic.returning, traffic.stable);
    course.notices.push_back({true, "RolledBack", course.message});
  }
  return course;
}

// ---- which of these ----

Course chart(const ReleaseSnapshot& snapshot, WallTime now) {
  const auto& traffic = snapshot.traffic;
  const bool adopts = snapshot.release->spec && !snapshot.spec().workload.empty();
  if (adopts && snapshot.router && traffic.stable.empty()) {
    auto adoption = adopt(snapshot, now);
    if (!adoption.done) return adopting(snapshot, std::move(adoption));
  }
  if (adopts && !snapshot.deployment) {
    // It is gone, or somebody took our label off it.
    auto course = hands_off(snapshot, "NoDeployment", snapshot.pod_template.error().message, now);
    add_adoption(course, adopt(snapshot, now));
    return course;
  }
  if (!snapshot.pod_template)
    return hands_off(snapshot, "InvalidSpec", snapshot.pod_template.error().message, now);
  if (!snapshot.router)
    return hands_off(snapshot, "UnknownRouter", "spec.traffic.type: no such router is built in",
                     now);
  if (snapshot.router->type() != snapshot.spec().traffic.type)
    return hands_off(snapshot, "TrafficTypeChanged",
                     fmt::format("spec.traffic.type: must not change while {} is under way: set it "
                                 "back, or abort the release",
                                 traffic.canary),
                     now);
  if (snapshot.wanted.empty()) return without_config(snapshot, now);
  if (traffic.stable.empty()) return first_revision(snapshot, snapshot.first, now);
  const bool at_rest = snapshot.wanted == traffic.stable;
  const bool taken_back = traffic.rollback && traffic.rollback->revision == snapshot.wanted;
  if (!traffic.returning.empty() && (at_rest || taken_back)) return go_back(snapshot, now);
  if (at_rest) return at_stable(snapshot, now);
  if (taken_back) return rolled_back(snapshot, now);
  if (stable_is_gone(snapshot)) return replace_stable(snapshot, now);
  return take_steps(snapshot, now);
}

// What runs goes on without the objects that it was made of; that they are missing is said.
Course with_config_fault(Course course, const ReleaseSnapshot& snapshot) {
  const auto& fault = snapshot.config.fault;
  if (fault && !snapshot.wanted.empty()) course.message += and_also(fault->message);
  return course;
}

}  // namespace

Course chart_course(const ReleaseSnapshot& snapshot, WallTime now) {
  const auto answer = answer_request(snapshot, now);
  if (!answer) return with_config_fault(chart(snapshot, now), snapshot);
  ReleaseSnapshot asked = snapshot;
  asked.traffic = answer->traffic;
  Course course = with_config_fault(chart(asked, now), snapshot);
  course.answer = answer->status;
  const bool refused = answer->status.outcome == "Refused";
  course.notices.push_back(
      {refused, refused ? "RequestRefused" : "RequestDone", told(answer->status)});
  return course;
}

}  // namespace weir
