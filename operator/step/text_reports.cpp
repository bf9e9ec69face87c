#include "step/text_reports.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <utility>

namespace weir::step {
namespace {

constexpr std::size_t kMaxLine = 64UL * 1024;  // bytes
constexpr std::size_t kMaxFigureName = 63;

bool is_number(const std::string& text, double& number) {
  char* end = nullptr;
  number = std::strtod(text.c_str(), &end);
  return !text.empty() && *end == '\0' && std::isfinite(number);
}

bool is_figure_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxFigureName &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-' || c == '.';
         });
}

}  // namespace

bool LineFile::read(std::string_view part) {
  for (const char c : part) {
    if (c == '\n') {
      if (!take_line()) return false;
    } else if (line_.size() < kMaxLine) {
      line_ += c;
    }
  }
  return true;
}

std::string LineFile::end() {
  if (!wrong_) take_line();
  return wrong_ ? "line " + std::to_string(number_) + " does not belong there" : "";
}

bool LineFile::take_line() {
  if (line_.ends_with('\r')) line_.pop_back();
  wrong_ = !take(line_);
  if (wrong_) return false;
  line_.clear();
  ++number_;
  return true;
}

bool LcovFile::take(const std::string& line) {
  constexpr std::array<std::pair<std::string_view, const char*>, 4> kCounts{
      {{"LF:", "lines"}, {"LH:", "lines hit"}, {"BRF:", "branches"}, {"BRH:", "branches hit"}}};
  for (const auto& [prefix, name] : kCounts) {
    if (!std::string_view(line).starts_with(prefix)) continue;
    double number = 0;
    if (!is_number(line.substr(prefix.size()), number) || number < 0) return false;
    counted_.sums[name] += number;
  }
  return true;
}

bool FiguresFile::take(const std::string& line) {
  const auto from = line.find_first_not_of(" \t");
  if (from == std::string::npos || line[from] == '#') return true;
  const auto space = line.find_first_of(" \t", from);
  if (space == std::string::npos) return false;
  const auto name = line.substr(from, space - from);
  const auto last = line.find_last_not_of(" \t");
  const auto value = line.find_first_not_of(" \t", space);
  double number = 0;
  if (!is_figure_name(name) || value == std::string::npos ||
      !is_number(line.substr(value, last - value + 1), number))
    return false;
  counted_.sums[name] = number;
  return true;
}

}  // namespace weir::step
