#include "delivery/course_moves.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/sim_point.h"

namespace weir {

bool has_its_weights(const ReleaseSnapshot& snapshot) {
  const auto& backends = snapshot.route_state.backends;
  const auto agrees = [&](const Backend& b) {
    return b.weight == snapshot.traffic.weight_of(b.revision);
  };
  const auto sum = [](int total, const Backend& b) { return total + b.weight; };
  return std::all_of(backends.begin(), backends.end(), agrees) &&
         std::accumulate(backends.begin(), backends.end(), 0, sum) == 100;
}

bool route_shows(const ReleaseSnapshot& snapshot) {
  return snapshot.route_state.accepted && has_its_weights(snapshot);
}

bool stands_in_route(const ReleaseSnapshot& snapshot, const std::string& revision) {
  const auto& list = snapshot.route_state.backends;
  return std::any_of(list.begin(), list.end(),
                     [&](const Backend& backend) { return backend.revision == revision; });
}

void stall(Course& course, std::string reason, std::string message) {
  course.stalled = true;
  course.stalled_reason = std::move(reason);
  course.message = std::move(message);
}

void pause(Course& course, const ReleaseSnapshot& snapshot, const std::string& what) {
  reached(SimPoint::Paused);
  course.phase = Phase::Paused;
  course.message =
      fmt::format("paused by {}: {}", snapshot.spec().paused ? "spec.paused" : "a request", what);
}

RollbackMark mark_of(const std::string& revision, const Judgement& breach, const Evidence& evidence,
                     WallTime now) {
  const auto seen = evidence.find(breach.objective);
  return {revision, breach.objective, breach.message,
          seen == evidence.end() ? std::nullopt : seen->second.bad_since, now};
}

RollbackMark mark_of(const std::string& revision, const PodFailure& failure, WallTime now) {
  return {revision, failure.reason, failure.message, failure.since, now};
}

void roll_back(Course& course, const std::string& to, RollbackMark mark) {
  course.phase = Phase::RollingBack;
  course.canary.reset();
  course.message = fmt::format("taking {} back: {}: {}", mark.revision, mark.reason, mark.message);
  course.traffic = course.traffic.resting_at(to);
  course.traffic.rollback = std::move(mark);
}

PodRuling judge_pods_of(Course& course, const ReleaseSnapshot& snapshot,
                        const std::string& revision, const std::string& to, WallTime now) {
  auto ruling = judge_pods(snapshot.policy->spec.pod_failure, snapshot.revision(revision), now);
  if (ruling.look_again) course.look_again_at(*ruling.look_again);
  if (!ruling.holding.empty()) reached(SimPoint::PodsHold);
  if (ruling.failure) {
    reached(SimPoint::RolledBackForPods);
    roll_back(course, to, mark_of(revision, *ruling.failure, now));
  }
  return ruling;
}

void judge_as_it_stands(Course& course, const ReleaseSnapshot& snapshot, const std::string& to,
                        WallTime now) {
  const auto& traffic = snapshot.traffic;
  Occasion occasion{now};
  occasion.alone = snapshot.judged != traffic.canary || traffic.weight == 100;
  Ruling ruling = judge(snapshot.policy->spec, snapshot.evidence, occasion);
  course.judgements = ruling.judgements;
  if (ruling.breach)
    roll_back(course, to, mark_of(snapshot.judged, *ruling.breach, snapshot.evidence, now));
  else
    judge_pods_of(course, snapshot, snapshot.judged, to, now);
}

std::optional<CanaryStatus> known_canary(const ReleaseSnapshot& snapshot) {
  auto canary = snapshot.release->status.canary;
  if (!canary || canary->revision != snapshot.traffic.canary) return std::nullopt;
  if (canary->weight == snapshot.traffic.weight) return canary;
  canary->weight = snapshot.traffic.weight;
  canary->accepted.reset();
  canary->since.reset();
  return canary;
}

std::string and_also(const std::string& sentence) {
  return sentence.empty() ? "" : "; " + sentence;
}

int pods_for(int weight, int replicas) {
  if (weight <= 0 || replicas <= 0) return 0;
  return std::max(1, (weight * replicas + 99) / 100);
}

}  // namespace weir
