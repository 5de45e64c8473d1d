// The low-level SHA256_* functions, though deprecated, need nothing of OpenSSL's providers: no
// configuration file, no dlopen. The worker is linked statically and runs where neither exists.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "store/digest.h"

#include <openssl/sha.h>

#include <cstring>
#include <new>

#include "base/text/hex.h"

namespace llama::store {

std::string Digest::Hex() const {
  std::string out;
  out.reserve(2 * bytes.size());
  for (const unsigned char byte : bytes) {
    out.push_back(kHexDigits[byte >> 4]);
    out.push_back(kHexDigits[byte & 15]);
  }
  return out;
}

std::optional<Digest> Digest::FromHex(std::string_view hex) {
  Digest digest;
  if (hex.size() != 2 * digest.bytes.size()) return std::nullopt;
  for (size_t i = 0; i < digest.bytes.size(); ++i) {
    const size_t high = kHexDigits.find(hex[2 * i]);
    const size_t low = kHexDigits.find(hex[2 * i + 1]);
    if (high == kHexDigits.npos || low == kHexDigits.npos) return std::nullopt;
    digest.bytes[i] = static_cast<unsigned char>(high * 16 + low);
  }
  return digest;
}

std::optional<Digest> Digest::FromBytes(std::string_view raw) {
  Digest digest;
  if (raw.size() != digest.bytes.size()) return std::nullopt;
  std::memcpy(digest.bytes.data(), raw.data(), raw.size());
  return digest;
}

Sha256Stream::Sha256Stream() {
  static_assert(sizeof(SHA256_CTX) <= sizeof(state_));
  SHA256_Init(new (state_.data()) SHA256_CTX);
}

void Sha256Stream::Update(std::string_view bytes) {
  SHA256_Update(std::launder(reinterpret_cast<SHA256_CTX*>(state_.data())), bytes.data(),
                bytes.size());
}

Digest Sha256Stream::Finish() {
  Digest digest;
  SHA256_Final(digest.bytes.data(), std::launder(reinterpret_cast<SHA256_CTX*>(state_.data())));
  return digest;
}

Digest Sha256(std::string_view bytes) {
  Sha256Stream stream;
  stream.Update(bytes);
  return stream.Finish();
}

size_t DigestHash::operator()(const Digest& d) const {
  size_t hash = 0;
  std::memcpy(&hash, d.bytes.data(), sizeof hash);
  return hash;
}

}  // namespace llama::store
