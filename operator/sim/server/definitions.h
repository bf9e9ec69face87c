// The texts of crds/*.yaml and builtin.yaml, made a part of the binary by CMakeLists.txt.
#pragma once

#include <array>
#include <string_view>

namespace weir::sim {

extern const std::string_view kBuiltinDefinitions;
extern const std::array<std::string_view, 4> kCustomDefinitions;

}  // namespace weir::sim
