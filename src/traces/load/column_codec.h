// How the columnar file writes arrays (docs/trace_format.md, "The columnar file"): integers in
// planes, one of the lowest bytes, one of the second, and so on as far as the largest needs; each
// array is a section of its own, compressed by zstd where that helps.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/codec.h"
#include "traces/columns/big_vector.h"

namespace llama::traces {

// Small numbers, whatever their sign.
inline uint64_t Zigzag(int64_t v) {
  return static_cast<uint64_t>(v) << 1 ^ static_cast<uint64_t>(v >> 63);
}
inline int64_t Unzigzag(uint64_t v) { return static_cast<int64_t>(v >> 1 ^ (~(v & 1) + 1)); }

// Where a section is, and what it is made of.
struct Section {
  uint64_t offset = 0;  // in the file
  uint64_t stored_bytes = 0;
  uint64_t raw_bytes = 0;  // the same: it is not compressed
};
void Encode(Encoder& out, const Section& section);
Section DecodeSection(Decoder& in);

// Appends sections to `file`.
class SectionWriter {
 public:
  explicit SectionWriter(std::string& file) : file_(file) {}
  Section Bytes(std::string_view raw, bool compress = true);
  Section Integers(std::span<const uint64_t> values);

 private:
  std::string& file_;
  std::string planes_;
};

// Reads sections of `file`, which is foreign: what can't be is false, and the output is not to be
// used. Memory taken is in proportion to the file's: `count` and sizes are checked before.
class SectionReader {
 public:
  explicit SectionReader(std::string_view file) : file_(file) {}
  bool Bytes(const Section& section, BigVector<char>& out) const;
  bool Integers(const Section& section, size_t count, BigVector<uint64_t>& out) const;
  // Into an array of its own type: each value must fit.
  template <typename T, typename Map>
  bool Integers(const Section& section, size_t count, BigVector<T>& out, Map&& map) const {
    BigVector<uint64_t> values;
    if (!Integers(section, count, values)) return false;
    out.resize(count);
    bool ok = true;
    for (size_t i = 0; i < count; ++i) ok &= map(values[i], out[i]);
    return ok;
  }

 private:
  std::string_view file_;
};

}  // namespace llama::traces
