#include "app/source_queues.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace weir {
namespace {

constexpr std::size_t kMaxQueues =
    64;                         // of which nobody asks the source; a policy can name any URL
constexpr int kRoomToGrow = 4;  // times what a query took: the time-out

}  // namespace

SourceQueues::Added SourceQueues::add(const SourceKey& source, WaitingQuestion question) {
  Lock lock(mutex_);
  auto& queue = queues_[source];
  if (queue.waiting.size() >= kSourceWaitMax) return Added::Refused;
  queue.waiting.push_back(std::move(question));
  return std::exchange(queue.is_asked, true) ? Added::Waits : Added::MustAsk;
}

std::vector<WaitingQuestion> SourceQueues::next(const SourceKey& source) {
  Lock lock(mutex_);
  auto& queue = queues_[source];
  const auto count = std::min(queue.waiting.size(), queue.together);
  const auto end = queue.waiting.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<WaitingQuestion> result(std::make_move_iterator(queue.waiting.begin()),
                                      std::make_move_iterator(end));
  queue.waiting.erase(queue.waiting.begin(), end);
  queue.is_asked = !result.empty();
  if (!queue.is_asked) forget_idle();
  return result;
}

std::vector<WaitingQuestion> SourceQueues::drop(const SourceKey& source) {
  Lock lock(mutex_);
  auto& queue = queues_[source];
  queue.is_asked = false;
  return std::exchange(queue.waiting, {});
}

void SourceQueues::told(const SourceKey& source, bool answered, milliseconds took) {
  Lock lock(mutex_);
  auto& together = queues_[source].together;
  if (!answered)
    together = std::max<std::size_t>(1, together / 2);
  else if (took * kRoomToGrow < source.timeout)
    together = std::min(together + 1, kMostTogether);
}

void SourceQueues::forget_idle() {
  if (queues_.size() <= kMaxQueues) return;
  std::erase_if(queues_, [](const auto& entry) { return !entry.second.is_asked; });
}

}  // namespace weir
