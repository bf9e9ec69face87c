#include "kube/token_file.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

namespace weir {
namespace {

constexpr seconds kMaxAge{60};
constexpr std::size_t kMaxTokenBytes = 64U << 10U;

std::string trim(const std::string& text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

}  // namespace

Result<std::string> read_text_file(const std::string& path, std::size_t max_bytes) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored))
    return Error{ErrorKind::NotFound, fmt::format("no file {}", path)};
  std::ifstream file(path, std::ios::binary);
  std::string text(max_bytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.eof() && file.fail())
    return Error{ErrorKind::Invalid, fmt::format("cannot read {}", path)};
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > max_bytes)
    return Error{ErrorKind::Invalid, fmt::format("{} is larger than {} bytes", path, max_bytes)};
  return text;
}

std::optional<std::string> TokenFile::token() {
  const SteadyTime now = clock_.monotonic();
  Lock lock(mutex_);
  if (read_at_ && now - *read_at_ < kMaxAge) return token_;
  if (auto text = read_text_file(path_, kMaxTokenBytes)) {
    if (auto trimmed = trim(*text); !trimmed.empty()) {
      token_ = std::move(trimmed);
      read_at_ = now;
    }
  }
  return token_;
}

}  // namespace weir
