#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir {

// The candidate that a misspelt word most likely stands for, or "": at most a third of its letters wrong, missing, doubled or
// swapped; upper and lower case count as the same.
std::string nearest_word(std::string_view word, const std::vector<std::string_view>& candidates);

// ", did you mean \"replicas\"?", or "" when nothing is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace weir
