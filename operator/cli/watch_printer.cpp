#include "cli/watch_printer.h"

#include <fmt/format.h>

#include <ostream>
#include <sstream>

#include "api/text_rules.h"
#include "base/time_format.h"

namespace weir {
namespace {

// Escape sequences take no place.
std::size_t width_of(const std::string& line) {
  std::string shown;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\x1b')
      i = line.find('m', i);
    else
      shown += line[i];
    if (i == std::string::npos) break;
  }
  return count_characters(shown);
}

// Rows that a text takes on a terminal, which breaks long lines.
int rows_of(const std::string& text, int columns) {
  std::istringstream lines(text);
  int rows = 0;
  for (std::string line; std::getline(lines, line);) {
    const int width = static_cast<int>(width_of(line));
    rows += std::max(1, (width + columns - 1) / columns);
  }
  return rows;
}

}  // namespace

void WatchPrinter::redraw() {
  std::string text;
  for (const auto& [key, tree] : trees_) text += tree;
  // Up to where the last drawing began, and erase from there on.
  if (drawn_ > 0) streams_.out << fmt::format("\x1b[{}A\x1b[J", drawn_);
  streams_.out << text << std::flush;
  drawn_ = rows_of(text, streams_.columns);
}

void WatchPrinter::print_line(const ObjectKey& key, const std::string& line) {
  auto& last = lines_[key];
  if (line == last) return;
  last = line;
  constexpr std::size_t kTimeBegins = 11;
  constexpr std::size_t kTimeLength = 8;
  const auto where = look_.with_namespace ? key.ns + "/" : "";
  streams_.out << fmt::format("{} {}{}\n",
                              format_time(clock_.now()).substr(kTimeBegins, kTimeLength), where,
                              line)
               << std::flush;
}

void WatchPrinter::show(const Release& release) {
  if (streams_.columns == 0) return print_line(release.meta.key, release_line(release));
  auto& tree = trees_[release.meta.key];
  auto fresh = release_tree(release, look_);
  if (fresh == tree) return;
  tree = std::move(fresh);
  redraw();
}

void WatchPrinter::drop(const ObjectKey& key) {
  if (streams_.columns == 0) return print_line(key, key.name + " deleted");
  trees_.erase(key);
  redraw();
}

}  // namespace weir
