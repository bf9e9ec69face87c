// Which releases a recording tells of: a revision that begins to serve while another one does. Next to nothing is nothing: what was under
// way when a weight moved is counted later.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "replay/recording.h"

namespace weir {

// Requests of one revision that were counted at one time.
struct Served {
  WallTime at{};
  std::string revision;
  double requests = 0;
};

// By time. A series that is there from the first point of the recording on has counted before; every other one began at 0.
std::vector<Served> served(const std::vector<RecordedSeries>& series, WallTime first);

// Silent: it has got nothing for kLookback; for half a minute, when a third one begins or the recording ends.
enum class PastEnding {
  Promoted,    // the other one is silent
  TakenBack,   // it is silent itself
  Superseded,  // a third one began while both of them served
  Unfinished,  // the recording ends
};
std::string_view to_string(PastEnding ending);

struct PastRelease {
  std::string canary;
  std::string stable;
  WallTime from{};   // the last point before its first request
  WallTime until{};  // the last point at which both of them served
  PastEnding ending = PastEnding::Unfinished;
};

// One revision served alone, and was counted without a gap of kLookback.
struct QuietSpan {
  std::string revision;
  WallTime from{};
  WallTime to{};
};

struct PastReleases {
  std::vector<PastRelease> releases;  // by time
  std::vector<QuietSpan> quiet;
};

// Who served most in the half minute after the first request is stable at first. Pure.
PastReleases find_releases(const std::vector<Served>& served);

}  // namespace weir
