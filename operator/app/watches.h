// The threads that keep the caches fed: one per kind.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "app/feeds.h"
#include "runtime/watch_loop.h"

namespace weir {

class Watches {
 public:
  // References must outlive it. `ns`: "" = all namespaces.
  Watches(const std::vector<Feed>& feeds, ApiClient& api, const Clock& clock, Random& random,
          const std::string& ns);

  void start();
  void stop();  // and joins
  // Every kind has been listed since the start, or since `refresh`: the caches may be acted on.
  bool synced() const;
  void refresh();  // lists every kind anew

 private:
  std::vector<std::unique_ptr<WatchLoop>> loops_;
  std::vector<std::jthread> threads_;
};

}  // namespace weir
