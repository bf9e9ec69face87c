// Changes of releases as they come: on a terminal a tree that is redrawn in place, elsewhere one line per change.
#pragma once

#include <map>
#include <string>

#include "api/release.h"
#include "base/clock.h"
#include "cli/command.h"
#include "cli/release_tree.h"

namespace weir {

class WatchPrinter {
 public:
  // Both must outlive the printer.
  WatchPrinter(const Streams& streams, const Clock& clock, const TreeLook& look)
      : streams_(streams), clock_(clock), look_(look) {}

  void show(const Release& release);
  void drop(const ObjectKey& key);  // it was deleted

 private:
  void redraw();
  void print_line(const ObjectKey& key, const std::string& line);

  const Streams& streams_;
  const Clock& clock_;
  const TreeLook look_;
  std::map<ObjectKey, std::string> trees_{};
  std::map<ObjectKey, std::string> lines_{};
  int drawn_ = 0;  // rows of the terminal
};

}  // namespace weir
