// A stage run once for each combination of values. Pure.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace weir {

inline constexpr std::size_t kMaxCombinations = 100;  // of one matrix

struct Axis {
  std::string name;
  std::vector<std::string> values;
};

using Combination = std::map<std::string, std::string>;  // axis → value; empty: no matrix

struct Matrix {
  std::vector<Axis> axes;
  std::vector<Combination> include;  // each one combination more, with a value for every axis
  std::vector<Combination>
      exclude;            // what agrees with one of them in all that it names is left out
  int max_parallel = 0;   // 0 = all at once
  bool fail_fast = true;  // the first failure stops the others
};

// How many there are before any is excluded; more than kMaxCombinations are not counted on.
std::size_t count_combinations(const Matrix& matrix);

// In the order of the axes, the last one turning fastest, then those of `include`; each once. A matrix without axes has one: {}.
std::vector<Combination> combinations(const Matrix& matrix);

// "os=debian,python=3.11"; "" for the one of a stage without matrix. Different combinations differ: values hold neither ',' nor '='.
std::string to_string(const Combination& combination);

}  // namespace weir
