#include "api/matrix.h"

#include <algorithm>

namespace weir {
namespace {

bool agrees(const Combination& combination, const Combination& pattern) {
  return std::all_of(pattern.begin(), pattern.end(), [&](const auto& wanted) {
    const auto found = combination.find(wanted.first);
    return found != combination.end() && found->second == wanted.second;
  });
}

bool is_excluded(const Matrix& matrix, const Combination& combination) {
  return std::any_of(matrix.exclude.begin(), matrix.exclude.end(),
                     [&](const Combination& pattern) { return agrees(combination, pattern); });
}

void add_once(std::vector<Combination>& all, Combination combination) {
  if (std::find(all.begin(), all.end(), combination) == all.end())
    all.push_back(std::move(combination));
}

}  // namespace

std::size_t count_combinations(const Matrix& matrix) {
  std::size_t count = matrix.axes.empty() ? 0 : 1;
  for (const auto& axis : matrix.axes) {
    count *= axis.values.size();
    if (count > kMaxCombinations) return kMaxCombinations + 1;
  }
  return count + matrix.include.size();
}

std::vector<Combination> combinations(const Matrix& matrix) {
  std::vector<Combination> product{{}};
  for (const auto& axis : matrix.axes) {
    std::vector<Combination> longer;
    for (const auto& combination : product)
      for (const auto& value : axis.values) {
        longer.push_back(combination);
        longer.back()[axis.name] = value;
      }
    product = std::move(longer);
  }
  std::vector<Combination> all;
  for (auto& combination : product)
    if (!is_excluded(matrix, combination)) add_once(all, std::move(combination));
  for (const auto& combination : matrix.include) add_once(all, combination);
  return all;
}

std::string to_string(const Combination& combination) {
  std::string text;
  for (const auto& [axis, value] : combination) {
    if (!text.empty()) text += ',';
    text += axis;
    text += '=';
    text += value;
  }
  return text;
}

}  // namespace weir
