// ProtoWriter: the wire format of Protocol Buffers, appended to a string
// (https://protobuf.dev/programming-guides/encoding/). Field numbers are the schema's.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace llama::exports {

class ProtoWriter {
 public:
  explicit ProtoWriter(std::string& out) : out_(out) {}

  void Varint(uint32_t field, uint64_t value) {
    Tag(field, kVarint);
    Raw(value);
  }
  // Negative ones take ten bytes, as int32, int64 and enums do.
  void Int(uint32_t field, int64_t value) { Varint(field, static_cast<uint64_t>(value)); }
  void Bool(uint32_t field, bool value) { Varint(field, value ? 1 : 0); }
  void Fixed64(uint32_t field, uint64_t value) {
    Tag(field, kFixed64);
    for (int i = 0; i < 8; ++i) out_.push_back(static_cast<char>(value >> (8 * i)));
  }
  void Double(uint32_t field, double value) { Fixed64(field, std::bit_cast<uint64_t>(value)); }
  // Strings, bytes, and messages that are encoded already.
  void Bytes(uint32_t field, std::string_view bytes) {
    Tag(field, kLength);
    Raw(bytes.size());
    out_.append(bytes);
  }
  // A message whose fields `fill()` appends to the same string. Its length, which comes first, is
  // known last: most are shorter than 128 bytes, and the others are moved by what it takes.
  template <typename Fill>
  void Message(uint32_t field, Fill&& fill) {
    Tag(field, kLength);
    const size_t at = out_.size();
    out_.push_back('\0');
    fill();
    EndMessage(at);
  }

 private:
  enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kLength = 2 };

  void Tag(uint32_t field, WireType type) { Raw(field << 3 | type); }
  void Raw(uint64_t value) {
    while (value >= 0x80) {
      out_.push_back(static_cast<char>(value | 0x80));
      value >>= 7;
    }
    out_.push_back(static_cast<char>(value));
  }
  void EndMessage(size_t at) {
    uint64_t length = out_.size() - at - 1;
    if (length < 0x80) {
      out_[at] = static_cast<char>(length);
      return;
    }
    char bytes[10];
    size_t count = 0;
    for (; length >= 0x80; length >>= 7) bytes[count++] = static_cast<char>(length | 0x80);
    bytes[count++] = static_cast<char>(length);
    out_.replace(at, 1, bytes, count);
  }

  std::string& out_;
};

}  // namespace llama::exports
