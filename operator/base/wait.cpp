#include "base/wait.h"

#include <condition_variable>
#include <mutex>

namespace weir {

void wait_until(SteadyTime until, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_until(lock, stop, until, [] { return false; });
}

}  // namespace weir
