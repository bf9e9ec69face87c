#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace weir {

// Cuts a stream of arbitrary slices into lines. Not thread-safe.
class LineSplitter {
 public:
  explicit LineSplitter(std::size_t max_line_bytes) : max_line_bytes_(max_line_bytes) {}

  // Calls `on_line` for each whole, non-empty line, without its end. False when a line passed the limit; then it is of no
  // further use.
  bool feed(std::string_view bytes, const std::function<void(std::string_view)>& on_line);

 private:
  std::size_t max_line_bytes_;
  std::string rest_;
};

}  // namespace weir
