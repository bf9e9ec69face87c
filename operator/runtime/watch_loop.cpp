#include "runtime/watch_loop.h"

#include "base/log.h"
#include "base/wait.h"

namespace weir {
namespace {

constexpr milliseconds kListDeadline{30'000};

}  // namespace

void WatchLoop::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (take_refresh()) reflector_.refresh();
    const auto next = reflector_.next(clock_.monotonic());
    switch (next.what) {
      case Reflector::Next::Do::List: list(next.position); break;
      case Reflector::Next::Do::Watch: watch(next.position, stop); break;
      case Reflector::Next::Do::Wait: wait_until(next.until, stop); break;
    }
    if (!stop.stop_requested()) report();
  }
}

void WatchLoop::list(const std::string& next) {
  const auto deadline = Deadline::after(clock_, kListDeadline);
  auto page = api_.list(scope_.kind, scope_.selection, next, deadline);
  reflector_.on_page(std::move(page), clock_.monotonic());
  Lock lock(mutex_);
  if (reflector_.synced() && !refresh_wanted_) synced_ = true;
}

void WatchLoop::refresh() {
  Lock lock(mutex_);
  synced_ = false;
  refresh_wanted_ = true;
  connection_.request_stop();
}

bool WatchLoop::take_refresh() {
  Lock lock(mutex_);
  connection_ = std::stop_source();
  return std::exchange(refresh_wanted_, false);
}

void WatchLoop::watch(const std::string& resource_version, const std::stop_token& stop) {
  const WatchRequest request{scope_.kind, scope_.selection, resource_version};
  std::stop_source connection;
  {
    Lock lock(mutex_);
    connection = connection_;
  }
  const std::stop_callback on_stop(stop, [&connection] { connection.request_stop(); });
  const auto how = api_.watch(
      request, [&](std::string_view line) { return reflector_.on_line(line, clock_.monotonic()); },
      connection.get_token());
  if (!connection.stop_requested()) reflector_.on_closed(how, clock_.monotonic());
}

void WatchLoop::report() {
  if (reflector_.last_error() == reported_error_) return;
  reported_error_ = reflector_.last_error();
  if (!reported_error_.empty())
    log_warn("watch interrupted", {{"kind", scope_.kind.name}, {"error", reported_error_}});
}

}  // namespace weir
