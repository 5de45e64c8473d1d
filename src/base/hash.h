// Hash: a fast 64-bit hash of bytes, by multiplying and folding 128 bits. For tables in memory,
// with a seed that nobody outside knows, and for telling that a cache file was damaged: it is no
// defence against somebody who forges one.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace llama {

inline uint64_t Fold(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

inline uint64_t Load64(const char* p) {
  uint64_t v = 0;
  std::memcpy(&v, p, sizeof v);
  return v;
}

// The last bytes, fewer than 16, as two words that tell them from any others of this length.
inline uint64_t FoldTail(const char* p, size_t n, uint64_t h, uint64_t k) {
  if (n >= 8) return Fold(Load64(p) ^ k, Load64(p + n - 8) ^ h);
  uint64_t v = 0;
  if (n >= 4) {
    uint32_t low = 0;
    uint32_t high = 0;
    std::memcpy(&low, p, 4);
    std::memcpy(&high, p + n - 4, 4);
    v = uint64_t{high} << 32 | low;
  } else if (n > 0) {
    const auto at = [&](size_t i) { return uint64_t{static_cast<unsigned char>(p[i])}; };
    v = at(0) << 16 | at(n / 2) << 8 | at(n - 1);
  }
  return Fold(v ^ k, h);
}

inline uint64_t Hash(std::string_view bytes, uint64_t seed) {
  constexpr uint64_t kA = 0x9e3779b97f4a7c15;  // odd, with as many ones as zeros
  constexpr uint64_t kB = 0xd1b54a32d192ed03;
  const char* p = bytes.data();
  size_t n = bytes.size();
  uint64_t h = seed ^ Fold(n ^ kA, kB);
  uint64_t h2 = Fold(h, kA);  // not ~h: together they would be the same for all short strings
  for (; n >= 32; p += 32, n -= 32) {
    h = Fold(Load64(p) ^ kA, Load64(p + 8) ^ h);
    h2 = Fold(Load64(p + 16) ^ kB, Load64(p + 24) ^ h2);
  }
  h ^= h2;
  if (n >= 16) {
    h = Fold(Load64(p) ^ kA, Load64(p + 8) ^ h);
    p += 16;
    n -= 16;
  }
  return Fold(FoldTail(p, n, h, kB) ^ kA, h ^ kB);
}

}  // namespace llama
