// Reads what Releases name in spec.config, each object by its name, on threads of a pool; then wakes the Release.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "base/clock.h"
#include "delivery/config_book.h"
#include "kube/api_client.h"
#include "runtime/task_pool.h"

namespace weir {

// Thread-safe. References must outlive it; its pool is stopped first.
class ConfigReader {
 public:
  using Wake = std::function<void(const ObjectKey&)>;

  ConfigReader(ApiClient& api, const Clock& clock, ConfigBook& book, TaskPool& pool, Wake wake)
      : api_(api), clock_(clock), book_(book), pool_(pool), wake_(std::move(wake)) {}

  // Never blocks. `release` is woken when the answer is in the book.
  void start(const ObjectKey& release, const std::shared_ptr<const ConfigQuestion>& question);

 private:
  Result<ConfigContent> read(const ConfigRef& ref, const std::string& ns);

  ApiClient& api_;
  const Clock& clock_;
  ConfigBook& book_;
  TaskPool& pool_;
  Wake wake_;
};

}  // namespace weir
