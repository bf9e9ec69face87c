// What the parts of a course have in common.
#pragma once

#include <string>

#include "delivery/pod_failure.h"
#include "delivery/release_course.h"

namespace weir {

// The route names the weights that we last wrote, accepted or not: nobody has changed them by hand.
bool has_its_weights(const ReleaseSnapshot& snapshot);

// The data plane has accepted just the weights that we last wrote.
bool route_shows(const ReleaseSnapshot& snapshot);

// With whatever weight.
bool stands_in_route(const ReleaseSnapshot& snapshot, const std::string& revision);

// Only a change of input can help.
void stall(Course& course, std::string reason, std::string message);

// Nothing rises while a person has paused it.
void pause(Course& course, const ReleaseSnapshot& snapshot, const std::string& what);

// Why a revision is taken back.
RollbackMark mark_of(const std::string& revision, const Judgement& breach, const Evidence& evidence,
                     WallTime now);
RollbackMark mark_of(const std::string& revision, const PodFailure& failure, WallTime now);

// All traffic to `to` at once; the marked revision gets none again until the spec's revision changes.
void roll_back(Course& course, const std::string& to, RollbackMark mark);

// Judges the pods of a revision that can be taken back, and takes it back to `to` when they fail; the ruling tells whether.
PodRuling judge_pods_of(Course& course, const ReleaseSnapshot& snapshot,
                        const std::string& revision, const std::string& to, WallTime now);

// While nothing may move but back: what has been counted since the start, and the pods; a breach takes `snapshot.judged` back to `to`.
void judge_as_it_stands(Course& course, const ReleaseSnapshot& snapshot, const std::string& to,
                        WallTime now);

// The canary as status has it, while nothing is done for it; at the route's weight, of which status may not have heard.
std::optional<CanaryStatus> known_canary(const ReleaseSnapshot& snapshot);

// "; <sentence>", or nothing for an empty one.
std::string and_also(const std::string& sentence);

}  // namespace weir
