// The order of things in the columnar file, for its writer and its reader.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "traces/columns/field_column.h"
#include "traces/load/column_codec.h"

namespace llama::traces {

inline constexpr std::string_view kColumnarMagic = "llamacl1";
// The magic, the hash of all that follows, where the directory begins.
inline constexpr size_t kColumnarHeadBytes = 24;
inline constexpr uint64_t kColumnarHashSeed = 0x6c6c616d61;

enum TableSection : size_t {
  kStringSizes,
  kStringBytes,
  kTraceIds,
  kTrace,
  kSpanId,
  kParent,
  kStrangeParents,
  kName,
  kStart,
  kDuration,
  kBuild,
  kShape,
  kShapeSizes,
  kShapeFields,
  kShiftedRows,
  kShifts,
  kTableSections,
};
using TableSections = std::array<Section, kTableSections>;

// Of a table's shapes, and of their fields together (duplicates that were left out had some, too).
// A trace that has more is not written, so that a reader knows that it need not make room for them.
constexpr uint64_t MaxShapeFields(uint64_t rows) { return 16 * rows + 100'000; }

// What kParent holds.
inline constexpr uint64_t kNoParent = 0;       // and no parent_id
inline constexpr uint64_t kStrangeParent = 1;  // a parent_id of no row: the next of kStrangeParents
inline constexpr uint64_t kFirstParent = 2;    // and the zigzag of row - parent

// How a field's bits are written.
enum class BitsCoding : uint64_t { kPlain, kZigzag, kDelta };

struct FieldEntry {
  StringId name = 0;
  uint8_t kinds = 0;
  uint8_t uniform = 0;
  uint8_t layout = 0;
  uint64_t values = 0;
  BitsCoding coding = BitsCoding::kPlain;
  Section presence;
  Section tags;
  Section bits;
};

// The only one beside FieldColumn itself that sees its arrays.
class ColumnCodec {
 public:
  static FieldEntry Write(const FieldColumn& column, SectionWriter& out);
  // Appends the file's column to `out`, each row `base` higher, with strings by `strings` (by the
  // file's id). False if it is not a column of a table with so many rows and strings; then part of
  // it may have been appended.
  static bool Read(const FieldEntry& entry, const SectionReader& in, Row rows, Row base,
                   size_t string_count, std::span<const StringId> strings, FieldColumn& out);
};

}  // namespace llama::traces
