#include "delivery/release_course.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/sim_point.h"
#include "base/time_format.h"
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
  course.canary = snapshot.release->status.canary;
  stall(course, std::move(reason), std::move(message));
  if (!snapshot.policy || snapshot.judged.empty()) return course;
  const bool watched = snapshot.judged != traffic.canary;
  if (watched && now >= *traffic.promoted + snapshot.policy->spec.watch) return course;
  Ruling ruling = judge(snapshot.policy->spec, snapshot.evidence, std::nullopt, now, false);
  course.judgements = ruling.judgements;
  const auto& back_to = watched ? traffic.previous : traffic.stable;
  if (ruling.breach)
    roll_back(course, back_to, mark_of(snapshot.judged, *ruling.breach, snapshot.evidence, now));
  else
    judge_pods_of(course, snapshot, snapshot.judged, back_to, now);
  return course;
}

// ---- no revision has served yet: straight to 100 % when ready ----

// For a revision with nothing to return to: what its pods suffer from is only said.
std::string told_by_pods(const ReleaseSnapshot& snapshot, const std::string& revision,
                         WallTime now) {
  const auto rules = snapshot.policy ? snapshot.policy->spec.pod_failure : PodFailureRules{};
  const auto ruling = judge_pods(rules, snapshot.revision(revision), now);
  return ruling.failure ? ruling.failure->message : ruling.holding;
}

Course first_revision(const ReleaseSnapshot& snapshot, WallTime now) {
  Course course;
  const int replicas = snapshot.spec().replicas;
  if (!snapshot.policy) {
    stall(course, "PolicyNotUsable", snapshot.policy.error().message);
    return course;
  }
  const auto& first = snapshot.revision(snapshot.wanted);
  course.traffic = snapshot.traffic;
  if (snapshot.is_paused()) {
    if (first.replica_set) course.pods[snapshot.wanted] = first.replicas();
    pause(course, snapshot, fmt::format("{} waits", snapshot.wanted));
    return course;
  }
  course.pods[snapshot.wanted] = replicas;
  course.message =
      fmt::format("first revision {}: {} of {} pods ready{}", snapshot.wanted, first.ready(),
                  replicas, and_also(told_by_pods(snapshot, snapshot.wanted, now)));
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
    Ruling ruling = judge(policy, snapshot.evidence, course.judged_from, now, false);
    course.judgements = ruling.judgements;
    course.message = fmt::format("{} serves everything; watched until {}, {} kept to return to",
                                 traffic.stable, format_time(watch_until), traffic.previous);
    if (ruling.breach) reached(SimPoint::RolledBackInWatch);
    if (ruling.breach)
      roll_back(course, traffic.previous,
                mark_of(traffic.stable, *ruling.breach, snapshot.evidence, now));
    else
      judge_pods_of(course, snapshot, traffic.stable, traffic.previous, now);
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
  // Once it has left the route, the gateway's view of what is left there changes nothing any more.
  const bool over = (route_shows(snapshot) || !stands_in_route(snapshot, mark.revision)) &&
                    !snapshot.revision(mark.revision).has_pods();
  course.phase = over ? Phase::RolledBack : Phase::RollingBack;
  course.message = fmt::format("{} was taken back{}: {}: {}; {} serves until the spec changes",
                               mark.revision, over ? "" : ", its pods are draining", mark.reason,
                               mark.message, snapshot.traffic.stable);
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
  course.message = fmt::format("{} of {} pods of {} ready; {} serves until then", view.ready(),
                               replicas, traffic.returning, traffic.stable);
  if (!view.replica_set) {
    course.traffic.returning.clear();
    course.notices.push_back({true, "RevisionGone", fmt::format("{} is gone", traffic.returning)});
  } else if (view.service && view.ready() >= replicas) {
    auto mark = traffic.rollback;
    if (!mark)
      mark = RollbackMark{snapshot.wanted, std::string(kRequestedRollback),
                          fmt::format("{} was asked for", traffic.returning), std::nullopt, now};
    course.traffic = traffic.resting_at(traffic.returning);
    course.traffic.rollback = mark;
    course.returns = true;
    reached(SimPoint::ReturnedByRequest);
    course.message = fmt::format("{} serves instead of {}", traffic.returning, traffic.stable);
    course.notices.push_back({true, "RolledBack", course.message});
  }
  return course;
}

// ---- which of these ----

Course chart(const ReleaseSnapshot& snapshot, WallTime now) {
  const auto& traffic = snapshot.traffic;
  if (!snapshot.pod_template)
    return hands_off(snapshot, "InvalidSpec", snapshot.pod_template.error().message, now);
  if (!snapshot.router)
    return hands_off(snapshot, "UnknownRouter", "spec.traffic.type: no such router is built in",
                     now);
  if (traffic.stable.empty()) return first_revision(snapshot, now);
  const bool at_rest = snapshot.wanted == traffic.stable;
  const bool taken_back = traffic.rollback && traffic.rollback->revision == snapshot.wanted;
  if (!traffic.returning.empty() && (at_rest || taken_back)) return go_back(snapshot, now);
  if (at_rest) return at_stable(snapshot, now);
  if (taken_back) return rolled_back(snapshot);
  return take_steps(snapshot, now);
}

}  // namespace

Course chart_course(const ReleaseSnapshot& snapshot, WallTime now) {
  const auto answer = answer_request(snapshot, now);
  if (!answer) return chart(snapshot, now);
  ReleaseSnapshot asked = snapshot;
  asked.traffic = answer->traffic;
  Course course = chart(asked, now);
  course.answer = answer->status;
  const bool refused = answer->status.outcome == "Refused";
  course.notices.push_back(
      {refused, refused ? "RequestRefused" : "RequestDone", told(answer->status)});
  return course;
}

}  // namespace weir
