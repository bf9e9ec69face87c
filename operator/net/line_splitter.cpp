#include "net/line_splitter.h"

namespace weir {

bool LineSplitter::feed(std::string_view bytes,
                        const std::function<void(std::string_view)>& on_line) {
  const auto emit = [&](std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) on_line(line);
  };
  for (;;) {
    const auto end = bytes.find('\n');
    const auto piece = bytes.substr(0, end);
    if (rest_.size() + piece.size() > max_line_bytes_) return false;
    if (end == std::string_view::npos) {
      rest_ += piece;
      return true;
    }
    if (rest_.empty()) {
      emit(piece);
    } else {
      rest_ += piece;
      emit(rest_);
      rest_.clear();
    }
    bytes.remove_prefix(end + 1);
  }
}

}  // namespace weir
