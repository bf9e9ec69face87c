#pragma once

#include <string>

namespace weir::step {

// Copies this program to `bin`/weir-step and makes the folders that steps find below `out`. The exit code.
int install(const std::string& bin, const std::string& out);

}  // namespace weir::step
