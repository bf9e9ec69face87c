// Which stage waits for which: by `needs` and by results. Pure.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "api/pipeline.h"

namespace weir {

// Names of the stages whose results a stage uses: without them it cannot run.
std::set<std::string> stages_used_by(const Stage& stage);

// Those and its `needs`.
std::set<std::string> stages_before(const Stage& stage);

// Names along a cycle, the first one again at the end; empty when there is none. Names that no stage has are passed over.
std::vector<std::string> find_cycle(const std::vector<Stage>& stages);

}  // namespace weir
