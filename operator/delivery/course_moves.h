// What the parts of a course have in common.
#pragma once

#include <string>

#include "delivery/release_course.h"

namespace weir {

// The data plane has accepted just the weights that we last wrote.
bool route_shows(const ReleaseSnapshot& snapshot);

// With whatever weight.
bool stands_in_route(const ReleaseSnapshot& snapshot, const std::string& revision);

// Only a change of input can help.
void stall(Course& course, std::string reason, std::string message);

// All traffic to `to` at once; `revision` gets none again until the spec's revision changes.
// Nothing rises while a person has paused it.
void pause(Course& course, const ReleaseSnapshot& snapshot, const std::string& what);

void roll_back(Course& course, const std::string& revision, const std::string& to,
               const Judgement& why, const Evidence& evidence, WallTime now);

}  // namespace weir
