#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weir {

// RFC 4648 with padding, as Kubernetes and HTTP write it.
std::string encode_base64(std::string_view bytes);

// Line breaks are skipped. Nothing when it is not that.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace weir
