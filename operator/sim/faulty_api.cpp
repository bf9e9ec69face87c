#include "sim/faulty_api.h"

namespace weir::sim {
namespace {

Error unavailable() { return {ErrorKind::Unavailable, "simulated: no answer"}; }
Error dead() { return {ErrorKind::Shutdown, "simulated: this instance has crashed"}; }

}  // namespace

bool PlannedFault::strikes_write() {
  ++writes;
  if (on_place) on_place(Place::Write, *this);
  return writes == at_write;
}

bool PlannedFault::strikes_delivery() {
  ++events;
  if (on_place) on_place(Place::Delivery, *this);
  return events == late_event;
}

std::optional<SimTime> InFlight::due() const {
  return effects_.empty() ? std::nullopt : std::optional(effects_.begin()->first);
}

void InFlight::act() {
  const auto effect = std::move(effects_.begin()->second);
  effects_.erase(effects_.begin());
  effect();
}

std::optional<Error> FaultyApi::fails_at_once() const {
  if (crashed_) return dead();
  if (draws(net_.faults.error_before)) return unavailable();
  if (draws(net_.faults.throttle)) return Error{ErrorKind::Throttled, "simulated", seconds(1)};
  return std::nullopt;
}

std::optional<Error> FaultyApi::travel(const std::function<void()>& late,
                                       const Deadline& deadline) {
  if (!draws(net_.faults.slow_call)) return std::nullopt;
  const auto longest = static_cast<double>(net_.faults.slow_call_max.count());
  const SimTime span(static_cast<std::int64_t>(longest * net_.random.uniform()));
  const SimTime left = deadline.left(net_.stage.clock());
  if (span < left) {
    net_.stage.pass(span);
    return crashed_ ? std::optional(dead()) : std::nullopt;
  }
  return give_up(draws(0.5) ? late : std::function<void()>(), span - left, deadline);
}

Error FaultyApi::give_up(const std::function<void()>& late, SimTime after,
                         const Deadline& deadline) {
  net_.stage.pass(deadline.left(net_.stage.clock()));
  if (late)
    net_.in_flight.add(net_.stage.clock().elapsed() + std::min(after, kLongestOnTheWay), late);
  return {ErrorKind::Timeout, "simulated: no answer before the deadline"};
}

template <typename T>
Result<T> FaultyApi::write(const std::function<Result<T>()>& call, const Deadline& deadline,
                           const ObjectRef& deletes) {
  if (crashed_) return dead();
  const bool strikes = net_.planned.strikes_write();
  const auto is_planned = [&](PlannedFault::AtWrite what) {
    return strikes && net_.planned.what == what;
  };
  if (is_planned(PlannedFault::AtWrite::CrashBefore) || draws(net_.faults.crash_before)) {
    crashed_ = true;
    return dead();
  }
  if (const auto error = fails_at_once()) return *error;
  const Author author{instance_, pass_, net_.stage.clock().elapsed(), deletes};
  const auto effect = [&net = net_, author, call] {
    net.author = author;
    auto result = call();
    net.author = {};
    return result;
  };
  const auto late = [effect] { (void)effect(); };
  if (is_planned(PlannedFault::AtWrite::Late)) return give_up(late, kLongestOnTheWay, deadline);
  if (const auto error = travel(late, deadline)) return *error;
  if (draws(net_.faults.conflict)) return Error{ErrorKind::Conflict, "simulated"};
  auto result = effect();
  if (is_planned(PlannedFault::AtWrite::CrashAfter) || draws(net_.faults.crash_after)) {
    crashed_ = true;
    return dead();
  }
  if (is_planned(PlannedFault::AtWrite::AnswerLost) || draws(net_.faults.error_after))
    return unavailable();
  return result;
}

Result<Json> FaultyApi::get(const Kind& kind, const ObjectKey& key, const Deadline& deadline) {
  if (const auto error = fails_at_once()) return *error;
  return net_.server.get(kind, key, deadline);
}

Result<ListPage> FaultyApi::list(const Kind& kind, const Selection& selection,
                                 const std::string& next, const Deadline& deadline) {
  if (const auto error = fails_at_once()) return *error;
  return net_.server.list(kind, selection, next, deadline);
}

Result<Json> FaultyApi::create(const Kind& kind, const std::string& ns, const Json& object,
                               bool dry_run, const Deadline& deadline) {
  return write<Json>(
      [=, &server = net_.server] { return server.create(kind, ns, object, dry_run, deadline); },
      deadline);
}

Result<Json> FaultyApi::patch(const Kind& kind, const ObjectKey& key, const Patch& patch,
                              const Deadline& deadline) {
  return write<Json>(
      [=, &server = net_.server] { return server.patch(kind, key, patch, deadline); }, deadline);
}

Result<void> FaultyApi::remove(const Kind& kind, const ObjectKey& key, const std::string& uid,
                               const Deadline& deadline) {
  return write<void>([=, &server = net_.server] { return server.remove(kind, key, uid, deadline); },
                     deadline, {std::string(kind.plural), key});
}

Result<void> FaultyApi::watch(const WatchRequest& request, const OnLine& on_line,
                              const std::stop_token& stop) {
  return net_.server.watch(request, on_line, stop);
}

}  // namespace weir::sim
