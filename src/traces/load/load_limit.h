// LoadLimit: what loading may take, in proportion to the files that are read. A small file may hold
// a long text by compression, and a short text much of what takes room by being strange: spans
// without fields, fields in another order in each line, events that begin and never end.
//
// A trace of a build takes 200 bytes of memory for a span of 250 to 700 bytes, which zstd brings to
// 30 to 60.
#pragma once

#include <algorithm>
#include <cstdint>

namespace llama::traces {

class LoadLimit {
 public:
  // What a file of any size may take, and how much more for each of its bytes.
  static constexpr uint64_t kFreeTextBytes = uint64_t{128} << 20;
  static constexpr uint64_t kTextPerFileByte = 200;
  static constexpr uint64_t kFreeMemoryBytes = uint64_t{64} << 20;
  static constexpr uint64_t kMemoryPerFileByte = 64;
  static constexpr uint64_t kMemoryPerTextByte = 8;

  // Of all files so far: bytes of the files themselves, and of the text in them.
  void Add(uint64_t file_bytes, uint64_t text_bytes) {
    file_bytes_ += file_bytes;
    text_bytes_ += text_bytes;
  }

  bool TextFits() const { return text_bytes_ <= kFreeTextBytes + kTextPerFileByte * file_bytes_; }
  bool MemoryFits(uint64_t bytes) const {
    return bytes <= kFreeMemoryBytes + std::min(kMemoryPerFileByte * file_bytes_,
                                                kMemoryPerTextByte * text_bytes_);
  }

 private:
  uint64_t file_bytes_ = 0;
  uint64_t text_bytes_ = 0;
};

}  // namespace llama::traces
