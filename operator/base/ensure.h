#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace weir {

// A broken invariant of ours. The worker shell catches it per key; tests and the simulator let it abort.
class InvariantError final : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

inline void ensure(bool condition, std::string_view why) {
  if (!condition) throw InvariantError("not true that " + std::string(why));
}

}  // namespace weir
