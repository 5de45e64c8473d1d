#include "job/base64.h"

#include <array>
#include <cstdint>
#include <cstring>

namespace llama::job {
namespace {

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr uint32_t kBad = 0x80000000;

// Two digits at once for every 12 bits: half the lookups and stores.
struct EncodeTable {
  std::array<char, 8192> pairs{};
  constexpr EncodeTable() {
    for (size_t i = 0; i < 4096; ++i) {
      pairs[2 * i] = kDigits[i >> 6];
      pairs[2 * i + 1] = kDigits[i & 63];
    }
  }
};
constexpr EncodeTable kEncode;

// A digit's value at each of its four places, so that a group is an OR of four lookups and one
// test tells whether any was no digit.
struct DecodeTable {
  std::array<std::array<uint32_t, 256>, 4> places{};
  constexpr DecodeTable() {
    for (auto& place : places) place.fill(kBad);
    for (uint32_t value = 0; value < 64; ++value) {
      const auto digit = static_cast<unsigned char>(kDigits[value]);
      for (uint32_t place = 0; place < 4; ++place) {
        places[place][digit] = value << (18 - 6 * place);
      }
    }
  }
};
constexpr DecodeTable kDecode;

uint32_t Group(const unsigned char* in) {
  return kDecode.places[0][in[0]] | kDecode.places[1][in[1]] | kDecode.places[2][in[2]] |
         kDecode.places[3][in[3]];
}

Error NotBase64() { return Error{Code::kInvalid, "not base64"}; }

// The last group, of which one or two digits may be '='.
Result<void> DecodeLast(std::string_view group, std::string& out, size_t at) {
  size_t digits = 4;
  while (digits > 2 && group[digits - 1] == '=') --digits;
  std::array<unsigned char, 4> in = {'A', 'A', 'A', 'A'};
  std::memcpy(in.data(), group.data(), digits);
  const uint32_t bits = Group(in.data());
  const size_t bytes = digits - 1;
  const uint32_t unused = 0xFFFFFFu >> (8 * bytes);
  if ((bits & kBad) != 0 || (bits & unused) != 0) return NotBase64();
  for (size_t i = 0; i < bytes; ++i) out[at + i] = static_cast<char>(bits >> (16 - 8 * i));
  out.resize(at + bytes);
  return {};
}

}  // namespace

void AppendBase64(std::string& out, std::string_view bytes) {
  const size_t start = out.size();
  out.resize(start + (bytes.size() + 2) / 3 * 4);
  char* to = out.data() + start;
  const auto* in = reinterpret_cast<const unsigned char*>(bytes.data());
  size_t left = bytes.size();
  for (; left >= 3; left -= 3, in += 3, to += 4) {
    const uint32_t bits = uint32_t{in[0]} << 16 | uint32_t{in[1]} << 8 | in[2];
    std::memcpy(to, &kEncode.pairs[2 * (bits >> 12)], 2);
    std::memcpy(to + 2, &kEncode.pairs[2 * (bits & 4095)], 2);
  }
  if (left == 0) return;
  const uint32_t bits = uint32_t{in[0]} << 16 | (left == 2 ? uint32_t{in[1]} << 8 : 0);
  to[0] = kDigits[bits >> 18];
  to[1] = kDigits[bits >> 12 & 63];
  to[2] = left == 2 ? kDigits[bits >> 6 & 63] : '=';
  to[3] = '=';
}

Result<std::string> DecodeBase64(std::string_view text) {
  if (text.size() % 4 != 0) return NotBase64();
  if (text.empty()) return std::string();
  std::string out(text.size() / 4 * 3, '\0');
  const auto* in = reinterpret_cast<const unsigned char*>(text.data());
  char* to = out.data();
  uint32_t seen = 0;
  const size_t whole = text.size() / 4 - 1;
  for (size_t i = 0; i < whole; ++i, in += 4, to += 3) {
    const uint32_t bits = Group(in);
    seen |= bits;
    to[0] = static_cast<char>(bits >> 16);
    to[1] = static_cast<char>(bits >> 8);
    to[2] = static_cast<char>(bits);
  }
  if ((seen & kBad) != 0) return NotBase64();
  TRY(DecodeLast(text.substr(4 * whole), out, 3 * whole));
  return out;
}

}  // namespace llama::job
