#pragma once

#include <string>
#include <string_view>

namespace weir {

// The first `length` symbols of the text's SHA-256 in Kubernetes' safe alphabet (no vowels, so no words; valid in DNS labels).
// Stable for ever: names of revisions are made of it. `length` ≤ 32.
std::string short_hash(std::string_view text, std::size_t length);

}  // namespace weir
