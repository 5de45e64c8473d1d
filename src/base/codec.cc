#include "base/codec.h"

#include <bit>

namespace llama {
namespace {

constexpr uint64_t kMaxStrings = 1u << 20;

}  // namespace

void Encoder::Uint(uint64_t value) {
  while (value >= 0x80) {
    out_.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out_.push_back(static_cast<char>(value));
}

void Encoder::Int(int64_t value) {
  Uint((static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63));
}

void Encoder::Bytes(std::string_view bytes) {
  Uint(bytes.size());
  out_.append(bytes);
}

void Encoder::Strings(const std::vector<std::string>& strings) {
  Uint(strings.size());
  for (const std::string& s : strings) Bytes(s);
}

void Encoder::SortedStrings(const std::vector<std::string>& strings) {
  Uint(strings.size());
  std::string_view before;
  for (const std::string& string : strings) {
    size_t shared = 0;
    while (shared < string.size() && shared < before.size() && string[shared] == before[shared]) {
      ++shared;
    }
    Uint(shared);
    Bytes(std::string_view(string).substr(shared));
    before = string;
  }
}

void Encoder::Double(double value) {
  uint64_t bits = std::bit_cast<uint64_t>(value);
  for (int i = 0; i < 8; ++i) out_.push_back(static_cast<char>(bits >> (8 * i)));
}

uint64_t Decoder::Uint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (in_.empty()) break;
    const auto byte = static_cast<unsigned char>(in_.front());
    in_.remove_prefix(1);
    // The tenth byte has room for one bit only.
    if (shift == 63 && byte > 1) break;
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  Fail();
  return 0;
}

int64_t Decoder::Int() {
  const uint64_t value = Uint();
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}

uint32_t Decoder::Uint32() {
  const uint64_t value = Uint();
  if (value > UINT32_MAX) Fail();
  return static_cast<uint32_t>(value);
}

int32_t Decoder::Int32() {
  const int64_t value = Int();
  if (value < INT32_MIN || value > INT32_MAX) Fail();
  return static_cast<int32_t>(value);
}

double Decoder::Double() {
  const std::string_view raw = Raw(8);
  uint64_t bits = 0;
  for (size_t i = 0; i < raw.size(); ++i) {
    bits |= static_cast<uint64_t>(static_cast<unsigned char>(raw[i])) << (8 * i);
  }
  return std::bit_cast<double>(bits);
}

std::string_view Decoder::Bytes() { return Raw(Uint()); }

std::string_view Decoder::Raw(uint64_t size) {
  if (size > in_.size()) {
    Fail();
    return {};
  }
  const std::string_view bytes = in_.substr(0, size);
  in_.remove_prefix(size);
  return bytes;
}

std::string Decoder::String() {
  const std::string_view bytes = Bytes();
  return TakeRoom(bytes.size()) ? std::string(bytes) : std::string();
}

bool Decoder::TakeRoom(uint64_t bytes) {
  if (bytes > room_bytes_) {
    Fail();
    return false;
  }
  room_bytes_ -= bytes;
  return true;
}

std::vector<std::string> Decoder::Strings() {
  std::vector<std::string> strings;
  const uint64_t count = Count(1, sizeof(std::string));
  if (count > kMaxStrings) Fail();
  for (uint64_t i = 0; i < count && ok_; ++i) strings.push_back(String());
  return strings;
}

std::vector<std::string> Decoder::SortedStrings() {
  std::vector<std::string> strings(Count(2, sizeof(std::string)));
  std::string_view before;
  for (std::string& string : strings) {
    const uint64_t shared = Uint();
    const std::string_view rest = Bytes();
    if (!ok_ || shared > before.size() || !TakeRoom(shared + rest.size())) {
      Fail();
      return {};
    }
    string.reserve(shared + rest.size());
    string.append(before.substr(0, shared)).append(rest);
    before = string;
  }
  return strings;
}

uint64_t Decoder::Count(uint64_t min_bytes, uint64_t room_bytes) {
  const uint64_t count = Uint();
  if (count > in_.size() / (min_bytes == 0 ? 1 : min_bytes)) {
    Fail();
    return 0;
  }
  return TakeRoom(count * room_bytes) ? count : 0;
}

}  // namespace llama
