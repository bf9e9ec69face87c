// The traffic of a Release as one value. It is written into the route together with the weights it explains, in one write: the
// route is the commit log of a release, and status, the callers' Service and everything else follow it.
#pragma once

#include <optional>
#include <string>
#include <utility>

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
  // What people have ordered by requests.
  int waived = 0;       // percent: of the canary, the holds of weights up to this need not end
  bool paused = false;  // nothing rises
  std::string
      returning;        // a kept revision that is to serve instead of stable, once it has the pods
  std::string request;  // id of the last request that was carried out
  std::optional<WallTime> raised;  // when the canary got its present weight

  int weight_of(const std::string& revision) const {
    if (revision == stable) return 100 - weight;
    return revision == canary ? weight : 0;
  }
  // `revision` serves everything and nothing is under way; a pause stays.
  Traffic resting_at(std::string revision) const {
    Traffic rest;
    rest.stable = std::move(revision);
    rest.paused = paused;
    rest.request = request;
    return rest;
  }
  bool operator==(const Traffic&) const = default;
};

std::string encode_traffic(const Traffic& traffic);
// Error kind: Parse.
Result<Traffic> decode_traffic(const std::string& memo);

}  // namespace weir
