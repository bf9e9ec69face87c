#include "sim/stage.h"

#include "base/ensure.h"

namespace weir::sim {
namespace {

constexpr int kMaxActsPerInstant = 20'000;

}  // namespace

void Stage::leave(const Actor& actor) {
  seats_.remove_if([&](const Seat& seat) { return seat.actor == &actor; });
}

bool Stage::acts(const Actor& actor) const {
  for (const auto& seat : seats_) {
    if (seat.actor == &actor) return seat.acting;
  }
  return false;
}

Stage::Seat* Stage::next_by(SimTime end, SimTime& at) {
  Seat* next = nullptr;
  for (auto& seat : seats_) {
    if (seat.acting) continue;
    const auto due = seat.actor->due();
    if (!due || *due > end || (next && *due >= at)) continue;
    next = &seat;
    at = *due;
  }
  return next;
}

void Stage::run_until(SimTime end) {
  SimTime at{0};
  while (Seat* next = next_by(end, at)) {
    if (at > clock_.elapsed()) clock_.advance(at - clock_.elapsed());
    if (instant_ != clock_.elapsed()) acts_in_instant_ = 0;
    instant_ = clock_.elapsed();
    ensure(++acts_in_instant_ < kMaxActsPerInstant, "time passes in the simulation");
    next->acting = true;
    next->actor->act();
    next->acting = false;
  }
  if (end > clock_.elapsed()) clock_.advance(end - clock_.elapsed());
}

}  // namespace weir::sim
