// The low-level SHA256_* functions, though deprecated, need nothing of OpenSSL's providers: no
// configuration file, no dlopen (see store/digest.cc). OpenSSL's HMAC has no such form.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "signing/hash.h"

#include <openssl/sha.h>

#include <cstddef>

#include "base/text/hex.h"

namespace llama::signing {
namespace {

constexpr size_t kBlockBytes = 64;

// The digest of a key's block, XORed with `pad`, and what follows it.
std::string PaddedDigest(std::string block, char pad, std::string_view rest) {
  for (char& c : block) c = static_cast<char>(c ^ pad);
  SHA256_CTX state;
  SHA256_Init(&state);
  SHA256_Update(&state, block.data(), block.size());
  SHA256_Update(&state, rest.data(), rest.size());
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256_Final(reinterpret_cast<unsigned char*>(digest.data()), &state);
  return digest;
}

}  // namespace

std::string Sha256(std::string_view bytes) {
  SHA256_CTX state;
  SHA256_Init(&state);
  SHA256_Update(&state, bytes.data(), bytes.size());
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256_Final(reinterpret_cast<unsigned char*>(digest.data()), &state);
  return digest;
}

// RFC 2104.
std::string HmacSha256(std::string_view key, std::string_view message) {
  std::string block = key.size() > kBlockBytes ? Sha256(key) : std::string(key);
  block.resize(kBlockBytes, '\0');
  return PaddedDigest(block, 0x5c, PaddedDigest(block, 0x36, message));
}

std::string Hex(std::string_view bytes) {
  std::string out;
  out.reserve(2 * bytes.size());
  for (const char c : bytes) {
    out.push_back(kHexDigits[static_cast<unsigned char>(c) >> 4]);
    out.push_back(kHexDigits[static_cast<unsigned char>(c) & 15]);
  }
  return out;
}

}  // namespace llama::signing
