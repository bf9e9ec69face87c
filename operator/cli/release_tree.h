// How a Release looks in a terminal. Pure.
#pragma once

#include <string>

#include "api/release.h"

namespace weir {

// Several lines: a headline, then a line with a weight bar for each revision that has a part in it.
std::string release_tree(const Release& release, bool with_namespace);

// One line: what `--watch` prints for each change.
std::string release_line(const Release& release);

}  // namespace weir
