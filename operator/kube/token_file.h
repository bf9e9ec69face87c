#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"

namespace weir {

// The whole of a small file. Errors: NotFound; Invalid when it cannot be read or exceeds `max_bytes`.
Result<std::string> read_text_file(const std::string& path, std::size_t max_bytes);

// A bearer token in a file that somebody else rotates. Thread-safe.
class TokenFile {
 public:
  // `fallback` serves until the file could be read once. `clock` must outlive it.
  TokenFile(std::string path, std::optional<std::string> fallback, const Clock& clock)
      : path_(std::move(path)), clock_(clock), token_(std::move(fallback)) {}

  // The file's content as it was at most a minute ago, or the last that could be read.
  std::optional<std::string> token();

 private:
  const std::string path_;
  const Clock& clock_;
  Mutex mutex_;
  std::optional<std::string> token_ GUARDED_BY(mutex_);
  std::optional<SteadyTime> read_at_ GUARDED_BY(mutex_){};
};

}  // namespace weir
