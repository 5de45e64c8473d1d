// SHA-256 digests, the names of blobs and objects.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace llama::store {

struct Digest {
  std::array<unsigned char, 32> bytes{};
  auto operator<=>(const Digest&) const = default;
  std::string Hex() const;  // 64 lower-case digits
  static std::optional<Digest> FromHex(std::string_view hex);
  std::string_view view() const {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  static std::optional<Digest> FromBytes(std::string_view raw);  // 32 bytes
};

Digest Sha256(std::string_view bytes);

// The same, piece by piece.
class Sha256Stream {
 public:
  Sha256Stream();
  void Update(std::string_view bytes);
  // Ends the stream; nothing may be called after it.
  Digest Finish();

 private:
  // Room for OpenSSL's SHA256_CTX, whose header stays out of ours.
  alignas(8) std::array<std::byte, 112> state_;
};

struct DigestHash {
  size_t operator()(const Digest& d) const;
};

}  // namespace llama::store
