// The one loop of a simulation: moves the clock from due actor to due actor. Same actors, same order, same story.
#pragma once

#include <list>

#include "sim/actor.h"

namespace weir::sim {

class Stage {
 public:
  explicit Stage(SimClock& clock) : clock_(clock) {}

  // The actor must leave before it dies, and not while it acts.
  void enter(Actor& actor) { seats_.push_back({&actor, false}); }
  void leave(const Actor& actor);
  bool acts(const Actor& actor) const;

  // Those who are due act, the earliest first, of equals who entered first. An actor in the middle of its act may call this too:
  // time then passes for all others (a slow answer, say), never for itself. Broken invariant: a hot loop in one instant.
  void run_until(SimTime end);
  void pass(SimTime span) { run_until(clock_.elapsed() + span); }

  SimClock& clock() { return clock_; }

 private:
  struct Seat {
    Actor* actor;
    bool acting;
  };
  Seat* next_by(SimTime end, SimTime& at);

  SimClock& clock_;
  std::list<Seat> seats_;
  SimTime instant_{-1};
  int acts_in_instant_ = 0;
};

}  // namespace weir::sim
