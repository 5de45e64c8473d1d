// The byte encoding that every format of ours is made of (docs/wire_format.md): unsigned LEB128
// varints, and byte strings as varint length + bytes. A Decoder reads foreign bytes: it never reads
// past its end; the first violation makes it fail for good, so a parser checks ok() once at the
// end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace llama {

class Encoder {
 public:
  void Uint(uint64_t value);
  // Zigzag.
  void Int(int64_t value);
  void Bytes(std::string_view bytes);
  void Bool(bool value) { Uint(value ? 1 : 0); }
  // Eight bytes, IEEE 754, little-endian.
  void Double(double value);
  void Strings(const std::vector<std::string>& strings);  // their number, and each as Bytes
  // Their number, and of each the length that it shares with the one before and the rest as Bytes:
  // sorted paths share long prefixes.
  void SortedStrings(const std::vector<std::string>& strings);
  // The bytes themselves, with no length before them.
  void Raw(std::string_view bytes) { out_.append(bytes); }

  const std::string& str() const { return out_; }
  std::string Take() { return std::move(out_); }

 private:
  std::string out_;
};

// What a small message claims to hold must not cost much: what is decoded may take kFreeRoomBytes
// of memory and twice what the message has, no more. Counted are strings, and elements whose size
// Count() is told.
class Decoder {
 public:
  static constexpr uint64_t kFreeRoomBytes = 64 << 20;

  explicit Decoder(std::string_view in) : in_(in), room_bytes_(kFreeRoomBytes + 2 * in.size()) {}

  uint64_t Uint();
  int64_t Int();
  // Fail for what does not fit.
  uint32_t Uint32();
  int32_t Int32();
  bool Bool() { return Uint() != 0; }
  double Double();
  // A view into the input; valid as long as the input is.
  std::string_view Bytes();
  std::string String();
  // Fails for more than a million: no command line, environment or list of ours has as many.
  std::vector<std::string> Strings();
  std::vector<std::string> SortedStrings();
  std::string_view Raw(uint64_t size);
  // An element count for a sequence whose elements take at least `min_bytes` of the input each, and
  // `room_bytes` of memory; a count that the rest of the input or the room cannot hold fails, so a
  // resize() by it is safe.
  uint64_t Count(uint64_t min_bytes = 1, uint64_t room_bytes = 0);

  bool ok() const { return ok_; }
  bool AtEnd() const { return in_.empty(); }
  // What has not been read yet.
  std::string_view rest() const { return in_; }
  // ok, and nothing left over.
  bool Done() const { return ok_ && in_.empty(); }
  void Fail() {
    ok_ = false;
    in_ = {};
  }

 private:
  // False, and failed: there is not so much left.
  bool TakeRoom(uint64_t bytes);

  std::string_view in_;
  uint64_t room_bytes_;
  bool ok_ = true;
};

}  // namespace llama
