#include "sim/faults.h"

namespace weir::sim {
namespace {

Error unavailable() { return {ErrorKind::Unavailable, "simulated: no answer"}; }
Error dead() { return {ErrorKind::Shutdown, "simulated: this instance has crashed"}; }

}  // namespace

FaultOptions draw_faults(Random& random) {
  FaultOptions faults;
  // Each kind of fault is off in half of the runs, so that it cannot always hide behind another.
  const auto maybe = [&](double most) {
    const bool on = random.uniform() < 0.5;
    return on ? random.uniform() * most : 0.0;
  };
  faults.error_before = maybe(0.2);
  faults.error_after = maybe(0.2);
  faults.conflict = maybe(0.2);
  faults.throttle = maybe(0.1);
  faults.crash_before = maybe(0.1);
  faults.crash_after = maybe(0.1);
  faults.watch_gap = maybe(0.01);
  faults.watch_repeat = maybe(0.2);
  faults.watch_lag_max = milliseconds(static_cast<std::int64_t>(maybe(3000)));
  faults.source_error = maybe(0.5);
  faults.source_empty = maybe(0.5);
  return faults;
}

template <typename T>
Result<T> FaultyApi::read(const std::function<Result<T>()>& call) {
  if (crashed_) return dead();
  if (draws(faults_.error_before)) return unavailable();
  if (draws(faults_.throttle)) return Error{ErrorKind::Throttled, "simulated", seconds(1)};
  return call();
}

template <typename T>
Result<T> FaultyApi::write(const std::function<Result<T>()>& call) {
  if (crashed_) return dead();
  ++writes_;
  const bool planned = writes_ == crash_at_;
  if ((planned && crash_before_) || draws(faults_.crash_before)) {
    crashed_ = true;
    return dead();
  }
  if (draws(faults_.error_before)) return unavailable();
  if (draws(faults_.throttle)) return Error{ErrorKind::Throttled, "simulated", seconds(1)};
  if (draws(faults_.conflict)) return Error{ErrorKind::Conflict, "simulated"};
  auto result = call();
  if ((planned && !crash_before_) || draws(faults_.crash_after)) {
    crashed_ = true;
    return dead();
  }
  if (draws(faults_.error_after)) return unavailable();
  return result;
}

Result<Json> FaultyApi::get(const Kind& kind, const ObjectKey& key, const Deadline& deadline) {
  return read<Json>([&] { return server_.get(kind, key, deadline); });
}

Result<ListPage> FaultyApi::list(const Kind& kind, const Selection& selection,
                                 const std::string& next, const Deadline& deadline) {
  return read<ListPage>([&] { return server_.list(kind, selection, next, deadline); });
}

Result<Json> FaultyApi::create(const Kind& kind, const std::string& ns, const Json& object,
                               bool dry_run, const Deadline& deadline) {
  return write<Json>([&] { return server_.create(kind, ns, object, dry_run, deadline); });
}

Result<Json> FaultyApi::patch(const Kind& kind, const ObjectKey& key, const Patch& patch,
                              const Deadline& deadline) {
  return write<Json>([&] { return server_.patch(kind, key, patch, deadline); });
}

Result<void> FaultyApi::remove(const Kind& kind, const ObjectKey& key, const std::string& uid,
                               const Deadline& deadline) {
  return write<void>([&] { return server_.remove(kind, key, uid, deadline); });
}

Result<void> FaultyApi::watch(const WatchRequest& request, const OnLine& on_line,
                              const std::stop_token& stop) {
  return server_.watch(request, on_line, stop);
}

}  // namespace weir::sim
