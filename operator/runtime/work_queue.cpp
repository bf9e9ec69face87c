#include "runtime/work_queue.h"

#include <algorithm>

namespace weir {
namespace {

constexpr milliseconds kFirstBackOff{50};
constexpr int kMaxDoublings = 20;

}  // namespace

void WorkQueue::add(const ObjectKey& key, SteadyTime at) {
  if (running_.count(key) != 0) {
    const auto [found, fresh] = after_running_.emplace(key, at);
    if (!fresh) found->second = std::min(found->second, at);
    return;
  }
  const auto held = held_.find(key);
  if (held != held_.end()) at = std::max(at, held->second);
  const auto [found, fresh] = due_.emplace(key, at);
  if (!fresh) {
    if (found->second <= at) return;
    order_.erase({found->second, key});
    found->second = at;
  }
  order_.emplace(at, key);
}

std::optional<ObjectKey> WorkQueue::take(SteadyTime now) {
  if (order_.empty() || order_.begin()->first > now) return std::nullopt;
  ObjectKey key = order_.begin()->second;
  order_.erase(order_.begin());
  due_.erase(key);
  held_.erase(key);
  running_.insert(key);
  return key;
}

void WorkQueue::done(const ObjectKey& key) {
  running_.erase(key);
  const auto again = after_running_.find(key);
  if (again == after_running_.end()) return;
  const SteadyTime at = again->second;
  after_running_.erase(again);
  add(key, at);
}

std::optional<SteadyTime> WorkQueue::next_due() const {
  if (order_.empty()) return std::nullopt;
  return order_.begin()->first;
}

milliseconds WorkQueue::next_back_off(const ObjectKey& key, milliseconds longest) {
  const int failures = failures_[key]++;
  return std::min(longest, kFirstBackOff * (std::int64_t{1} << std::min(failures, kMaxDoublings)));
}

}  // namespace weir
