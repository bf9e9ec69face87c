#include "sim/operators.h"

#include <fmt/format.h>

#include <algorithm>

namespace weir::sim {
namespace {

constexpr SimTime kDowntimeMax = seconds(5);
constexpr SimTime kLookEvery = milliseconds(100);  // how soon a death is noticed

}  // namespace

Operators::Operators(const Network& network, World& world, int replicas)
    : net_(network), world_(world), slots_(static_cast<std::size_t>(replicas)) {
  const auto& scene = world_.scene();
  next_kill_ = scene.next_after(net_.faults.kill_gap);
  next_pause_ = scene.next_after(net_.faults.pause_gap);
  next_step_ = scene.next_after(net_.faults.clock_step_gap);
  next_compaction_ = scene.next_after(net_.faults.compaction_gap);
  net_.stage.enter(*this);
}

Operators::~Operators() { net_.stage.leave(*this); }

std::optional<SimTime> Operators::due() const {
  auto due = earlier(earlier(next_kill_, next_pause_), earlier(next_step_, next_compaction_));
  const auto now = net_.stage.clock().elapsed();
  for (const auto& slot : slots_) {
    if (!slot.instance)
      due = earlier(due, slot.starts_at);
    else if (slot.instance->crashed())
      due = earlier(due, slot.instance->idle() ? now : now + kLookEvery);
  }
  return due;
}

void Operators::act() {
  disturb();
  const auto now = net_.stage.clock().elapsed();
  for (auto& slot : slots_) {
    if (slot.instance && slot.instance->crashed() && slot.instance->idle()) bury(slot);
    if (!slot.instance && slot.starts_at <= now) start(slot);
  }
}

void Operators::start(Slot& slot) {
  const auto error = clock_error();
  see_clock(error);
  const auto pod = fmt::format("weir-{}", &slot - slots_.data());
  slot.instance = std::make_unique<Instance>(net_, world_, pod, ++started_, error);
}

void Operators::bury(Slot& slot) {
  slot.instance.reset();
  slot.starts_at = net_.stage.clock().elapsed() + world_.scene().between(SimTime(0), kDowntimeMax);
}

void Operators::disturb() {
  const auto& scene = world_.scene();
  const auto comes = [&](std::optional<SimTime>& next, SimTime gap) {
    if (!next || scene.now() < *next) return false;
    next = scene.next_after(gap);
    return true;
  };
  if (comes(next_kill_, net_.faults.kill_gap)) {
    if (auto* instance = any()) instance->kill();
  }
  if (comes(next_pause_, net_.faults.pause_gap)) {
    if (auto* instance = any())
      instance->pause_until(scene.now() + scene.between(SimTime(0), net_.faults.pause_max));
  }
  if (comes(next_step_, net_.faults.clock_step_gap)) {
    if (auto* instance = any()) {
      // Who runs is anchored: no matter how far the hands are turned.
      instance->machine().step(clock_error() * 1000);
    }
  }
  // Who is a second behind loses its place.
  if (comes(next_compaction_, net_.faults.compaction_gap))
    net_.server.compact(net_.server.version());
}

void Operators::calm() {
  next_kill_.reset();
  next_pause_.reset();
  next_step_.reset();
  next_compaction_.reset();
  for (auto& slot : slots_) {
    if (slot.instance) slot.instance->pause_until(SimTime(0));
  }
}

Instance* Operators::any() {
  auto& slot =
      slots_[static_cast<std::size_t>(static_cast<double>(slots_.size()) * net_.random.uniform())];
  return slot.instance.get();
}

SimTime Operators::clock_error() const {
  const auto most = net_.faults.clock_error_max;
  return most == SimTime(0) ? most : world_.scene().between(-most, most);
}

void Operators::see_clock(SimTime error) {
  earliest_clock_ = std::min(earliest_clock_, error);
  latest_clock_ = std::max(latest_clock_, error);
  clock_spread_ = latest_clock_ - earliest_clock_;
}

}  // namespace weir::sim
