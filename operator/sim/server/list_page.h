#pragma once

#include <optional>
#include <string>

#include "sim/server/refusal.h"

namespace weir::sim {

// Where the next page of a list begins, and the version that all of its pages show.
struct ContinueToken {
  std::uint64_t version = 0;
  ObjectKey after;  // the last key of the page before
};

std::string encode_continue(const ContinueToken& token);
// Refused: 400.
Answer<ContinueToken> decode_continue(const std::string& text);

}  // namespace weir::sim
