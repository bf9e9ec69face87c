#include "app/watches.h"

#include <algorithm>

namespace weir {

Watches::Watches(const std::vector<Feed>& feeds, ApiClient& api, const Clock& clock, Random& random,
                 const std::string& ns) {
  for (const auto& feed : feeds)
    loops_.push_back(std::make_unique<WatchLoop>(WatchScope{feed.kind, {ns, feed.labels}}, api,
                                                 *feed.sink, clock, random));
}

void Watches::start() {
  for (auto& loop : loops_)
    threads_.emplace_back([&loop](const std::stop_token& stop) { loop->run(stop); });
}

void Watches::stop() {
  for (auto& thread : threads_) thread.request_stop();
  threads_.clear();
}

void Watches::refresh() {
  for (auto& loop : loops_) loop->refresh();
}

bool Watches::synced() const {
  return std::all_of(loops_.begin(), loops_.end(), [](const auto& loop) { return loop->synced(); });
}

}  // namespace weir
