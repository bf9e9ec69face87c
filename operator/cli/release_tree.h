// How a Release looks in a terminal. Pure.
#pragma once

#include <string>

#include "api/release.h"

namespace weir {

struct TreeLook {
  bool with_namespace = false;
  bool colour = false;
  bool wide = false;  // also images and policy
};

// Several lines: a headline, then a line with a weight bar for each revision that has a part in it.
std::string release_tree(const Release& release, const TreeLook& look);

// One line: what `--watch` prints for each change.
std::string release_line(const Release& release);

// Percent of the traffic that the gateway has accepted for a revision.
int weight_of(const ReleaseStatus& status, const std::string& revision);

// Images of the pods that the spec asks for, in the order of the containers; empty when the spec cannot be read.
std::vector<std::string> images_of(const Release& release);

}  // namespace weir
