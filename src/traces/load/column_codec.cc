#include "traces/load/column_codec.h"

#include <zstd.h>

#include <algorithm>
#include <bit>

namespace llama::traces {
namespace {

// The fastest: the low planes of most columns are noise, which no level makes smaller.
constexpr int kLevel = 1;
// Values that are decoded together, so that they stay in the first cache from plane to plane.
constexpr size_t kBlock = 1024;
// zstd's own limit is 32 KiB for a few bytes; no column of ours is near this.
constexpr uint64_t kMaxRatio = 4000;
constexpr uint64_t kMaxRawBytes = uint64_t{4} << 30;

}  // namespace

void Encode(Encoder& out, const Section& section) {
  out.Uint(section.offset);
  out.Uint(section.stored_bytes);
  out.Uint(section.raw_bytes);
}

Section DecodeSection(Decoder& in) {
  Section section;
  section.offset = in.Uint();
  section.stored_bytes = in.Uint();
  section.raw_bytes = in.Uint();
  return section;
}

Section SectionWriter::Bytes(std::string_view raw, bool compress) {
  Section section{file_.size(), raw.size(), raw.size()};
  if (compress && !raw.empty()) {
    file_.resize(section.offset + ZSTD_compressBound(raw.size()));
    const size_t bytes = ZSTD_compress(file_.data() + section.offset, file_.size() - section.offset,
                                       raw.data(), raw.size(), kLevel);
    const bool sane = !ZSTD_isError(bytes) && raw.size() / kMaxRatio < bytes;
    if (sane && bytes < raw.size()) {
      file_.resize(section.offset + bytes);
      section.stored_bytes = bytes;
      return section;
    }
    file_.resize(section.offset);
  }
  file_.append(raw);
  return section;
}

Section SectionWriter::Integers(std::span<const uint64_t> values) {
  uint64_t all = 0;
  for (const uint64_t value : values) all |= value;
  const size_t width = (static_cast<size_t>(std::bit_width(all)) + 7) / 8;
  planes_.resize(width * values.size());
  for (size_t plane = 0; plane < width; ++plane) {
    char* out = planes_.data() + plane * values.size();
    for (size_t i = 0; i < values.size(); ++i) {
      out[i] = static_cast<char>(values[i] >> (8 * plane));
    }
  }
  return Bytes(planes_);
}

bool SectionReader::Bytes(const Section& section, BigVector<char>& out) const {
  if (section.offset > file_.size() || section.stored_bytes > file_.size() - section.offset) {
    return false;
  }
  const std::string_view stored = file_.substr(section.offset, section.stored_bytes);
  if (section.stored_bytes == section.raw_bytes) {
    out.assign(stored.begin(), stored.end());
    return true;
  }
  if (section.raw_bytes > kMaxRawBytes || section.raw_bytes / kMaxRatio > section.stored_bytes) {
    return false;
  }
  out.resize(section.raw_bytes);
  return ZSTD_decompress(out.data(), out.size(), stored.data(), stored.size()) == out.size();
}

bool SectionReader::Integers(const Section& section, size_t count, BigVector<uint64_t>& out) const {
  if (count == 0) return section.raw_bytes == 0;
  const uint64_t width = section.raw_bytes / count;
  if (width > 8 || width * count != section.raw_bytes) return false;
  BigVector<char> planes;
  if (width > 0 && !Bytes(section, planes)) return false;
  out.assign(count, 0);
  for (size_t begin = 0; begin < count; begin += kBlock) {
    const size_t end = std::min(count, begin + kBlock);
    for (uint64_t plane = 0; plane < width; ++plane) {
      const char* in = planes.data() + plane * count;
      const auto shift = static_cast<unsigned>(8 * plane);
      for (size_t i = begin; i < end; ++i) {
        out[i] |= uint64_t{static_cast<unsigned char>(in[i])} << shift;
      }
    }
  }
  return true;
}

}  // namespace llama::traces
