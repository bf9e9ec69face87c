// Mutex and Lock with clang's thread-safety attributes: clang 14 rejects std::mutex as a capability, so that the
// compiler can check "guarded by" only through a wrapper (https://clang.llvm.org/docs/ThreadSafetyAnalysis.html).
#pragma once

#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define WEIR_ATTRIBUTE(x) __attribute__((x))
#else
#define WEIR_ATTRIBUTE(x)
#endif
#define GUARDED_BY(x) WEIR_ATTRIBUTE(guarded_by(x))
#define REQUIRES(x) WEIR_ATTRIBUTE(requires_capability(x))

namespace weir {

class WEIR_ATTRIBUTE(capability("mutex")) Mutex {
 public:
  void lock() WEIR_ATTRIBUTE(acquire_capability()) { mutex_.lock(); }
  void unlock() WEIR_ATTRIBUTE(release_capability()) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

// Scoped. Also a BasicLockable, so that std::condition_variable_any can wait on it with a stop_token.
class WEIR_ATTRIBUTE(scoped_lockable) Lock {
 public:
  explicit Lock(Mutex& mutex) WEIR_ATTRIBUTE(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.lock();
  }
  ~Lock() WEIR_ATTRIBUTE(release_capability()) { mutex_.unlock(); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  void lock() WEIR_ATTRIBUTE(no_thread_safety_analysis) { mutex_.lock(); }
  void unlock() WEIR_ATTRIBUTE(no_thread_safety_analysis) { mutex_.unlock(); }

 private:
  Mutex& mutex_;
};

}  // namespace weir
