// The traffic of a Release as one value. It is written into the route together with the weights it explains, in one write: the
// route is the commit log of a release, and status, the callers' Service and everything else follow it.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace weir {

struct RollbackMark {
  std::string revision;
  std::string reason;   // name of the objective
  std::string message;  // the evidence, for people
  std::optional<WallTime> bad_since;
  WallTime at{};
  bool operator==(const RollbackMark&) const = default;
};

struct Traffic {
  std::string stable;    // "" = no revision has served yet
  std::string canary;    // "" = no release under way
  int weight = 0;        // percent, the canary's; stable has the rest, every other revision 0
  std::string previous;  // the stable before this one; it may be returned to while the watch lasts
  std::optional<WallTime> promoted;
  std::optional<RollbackMark>
      rollback;  // this revision gets no traffic until the spec's revision changes

  int weight_of(const std::string& revision) const {
    if (revision == stable) return 100 - weight;
    return revision == canary ? weight : 0;
  }
  bool operator==(const Traffic&) const = default;
};

std::string encode_traffic(const Traffic& traffic);
// Error kind: Parse.
Result<Traffic> decode_traffic(const std::string& memo);

}  // namespace weir
