// What was read of the objects that Releases name in spec.config. They are got by name, not watched: it is asked anew now and then.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "delivery/config.h"
#include "runtime/plan.h"

namespace weir {

inline constexpr milliseconds kConfigAge{60'000};     // of an answer before it is asked for again
inline constexpr milliseconds kConfigRetry{15'000};   // when one of the objects could not be read
inline constexpr milliseconds kConfigTimeout{5'000};  // of one read

// Read these, then ConfigBook::settle, then wake the Release.
struct ConfigQuestion final : Question {
  std::string release_uid;
  std::int64_t generation = 0;  // of the spec that names them
  std::vector<ConfigRef> refs;
  WallTime asked{};

  std::string describe() const override { return "spec.config"; }
};

struct ConfigReading {
  std::optional<WallTime> asked;
  std::int64_t generation = 0;                   // for which it was asked last
  bool waiting = false;                          // for that answer
  std::int64_t answered = 0;                     // the generation that `answers` are for
  std::shared_ptr<const ConfigAnswers> answers;  // null: none yet
};

// The memory of the reading threads; volatile: after a crash it is read again. Thread-safe. Holds Secrets.
class ConfigBook {
 public:
  // Empty when nothing was asked yet.
  ConfigReading read(const std::string& release_uid) const;

  // Notes a question. False: its answer is already on the way.
  bool begin(const ConfigQuestion& question);
  // Where no answer came (an error that is likely to pass) the one before stays. An older generation's is dropped.
  void settle(const ConfigQuestion& question, ConfigAnswers answers);
  void forget(const std::string& release_uid);

 private:
  mutable Mutex mutex_;
  std::map<std::string, ConfigReading> readings_ GUARDED_BY(mutex_);
};

}  // namespace weir
