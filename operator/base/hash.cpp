#include "base/hash.h"

#include <openssl/evp.h>

#include <array>

#include "base/ensure.h"

namespace weir {

std::string short_hash(std::string_view text, std::size_t length) {
  static constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  ensure(EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1,
         "SHA-256 is available");
  ensure(length <= size, "short_hash is short");
  std::string result;
  for (std::size_t i = 0; i < length; ++i) result += kAlphabet[digest[i] % kAlphabet.size()];
  return result;
}

}  // namespace weir
