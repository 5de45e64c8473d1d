#include <algorithm>

#include "base/hash.h"
#include "traces/load/columnar_file.h"
#include "traces/load/columnar_layout.h"
#include "traces/load/loader.h"

namespace llama::traces {
namespace {

// The values of fields, from the file in memory.
class ColumnarFields final : public FieldSource {
 public:
  ColumnarFields(std::string file, Row rows, size_t string_count)
      : file_(std::move(file)), rows_(rows), string_count_(string_count) {}

  void Read(FieldId index, FieldColumn& out) const override {
    FieldColumn column;
    if (!ColumnCodec::Read(entries[index], SectionReader(file_), rows_, base, string_count_,
                           strings, column)) {
      return;
    }
    if (out.size() == 0) {
      out = std::move(column);
    } else {
      column.ForEach([&](Row row, Value value) { out.Append(row, value); });
    }
  }

  std::vector<FieldEntry> entries;

 private:
  const std::string file_;
  const Row rows_;
  const size_t string_count_;
};

uint64_t Load64At(std::string_view file, size_t at) {
  uint64_t value = 0;
  for (size_t i = 8; i-- > 0;) value = value << 8 | static_cast<unsigned char>(file[at + i]);
  return value;
}

// Fills a Table from a file that is not damaged, but may have been made up.
class ColumnarReader {
 public:
  explicit ColumnarReader(std::string_view file)
      : file_(file), sections_(file), table_(std::make_unique<Table>()) {}

  // The directory; false if it is none.
  bool ReadDirectory(SourceStamp& stamp) {
    const uint64_t at = Load64At(file_, 16);
    if (at > file_.size()) return false;
    Decoder in(file_.substr(at));
    stamp.size = in.Uint();
    stamp.mtime_ns = in.Int();
    stamp.hash = in.Uint();
    ReadReport(in);
    rows_ = in.Uint();
    strings_ = in.Uint();
    traces_ = in.Uint();
    shapes_ = in.Uint();
    shape_fields_ = in.Uint();
    shifted_ = in.Uint();
    for (Section& section : of_table_) section = DecodeSection(in);
    ReadBuilds(in);
    ReadEntries(in);
    return in.Done();
  }

  bool ReadTable() {
    return CountsFit() && ReadStrings() && ReadIds() && ReadParents() && ReadTimes() &&
           ReadShapes() && ReadShifts() && BuildsFit() && FieldsFit();
  }

  std::unique_ptr<Table> Finish(std::string file) {
    auto fields = std::make_unique<ColumnarFields>(std::move(file), table_->size(), strings_);
    for (FieldId id = 0; id < entries_.size(); ++id) {
      TableField& field = table_->fields.emplace_back();
      field.name = entries_[id].name;
      field.kinds = KindSet(entries_[id].kinds);
      field.values = entries_[id].values;
      field.pending.push_back({fields.get(), id});
    }
    fields->entries = std::move(entries_);
    table_->sources.push_back(std::move(fields));
    return std::move(table_);
  }

 private:
  void ReadReport(Decoder& in) {
    LoadReport& report = table_->report;
    for (uint64_t* count : {&report.files, &report.lines, &report.malformed, &report.too_long,
                            &report.duplicates, &report.late, &report.orphans, &report.cyclic,
                            &report.dropped_fields, &report.truncated}) {
      *count = in.Uint();
    }
    report.cached_files = report.files;
    for (uint64_t left = in.Count(); left > 0; --left) report.examples.push_back(in.String());
  }

  void ReadBuilds(Decoder& in) {
    for (uint64_t left = in.Count(3); left > 0; --left) {
      BuildRows& build = table_->builds.emplace_back();
      build.id = in.Uint32();
      build.begin = in.Uint32();
      build.end = in.Uint32();
    }
    for (uint64_t left = in.Count(6); left > 0; --left) {
      WorkerClock& clock = table_->clocks.emplace_back();
      clock.worker_id = in.Uint32();
      clock.build = in.Uint32();
      clock.calls = in.Uint32();
      clock.offset_ns = in.Int();
      clock.uncertainty_ns = in.Int();
      clock.consistent = in.Bool();
    }
  }

  void ReadEntries(Decoder& in) {
    for (uint64_t left = in.Count(15); left > 0; --left) {
      FieldEntry& entry = entries_.emplace_back();
      entry.name = in.Uint32();
      entry.kinds = Byte(in);
      entry.uniform = Byte(in);
      entry.layout = Byte(in);
      entry.values = in.Uint();
      entry.coding = static_cast<BitsCoding>(std::min<uint64_t>(in.Uint(), 3));
      entry.presence = DecodeSection(in);
      entry.tags = DecodeSection(in);
      entry.bits = DecodeSection(in);
    }
  }

  static uint8_t Byte(Decoder& in) {
    const uint64_t value = in.Uint();
    if (value > UINT8_MAX) in.Fail();
    return static_cast<uint8_t>(value);
  }

  // Counts that take memory, against what stands in the file uncompressed.
  bool CountsFit() const {
    const Section& ids = of_table_[kSpanId];
    const Section& traces = of_table_[kTraceIds];
    const Section& texts = of_table_[kStringBytes];
    return rows_ <= kMaxRows && ids.stored_bytes == rows_ * 8 && ids.raw_bytes == rows_ * 8 &&
           traces_ <= rows_ && traces.stored_bytes == traces_ * 16 &&
           traces.raw_bytes == traces_ * 16 && strings_ >= 1 && strings_ < UINT32_MAX &&
           strings_ <= texts.raw_bytes + 1 && shapes_ <= MaxShapeFields(rows_) &&
           shape_fields_ <= MaxShapeFields(rows_) && shifted_ <= rows_ &&
           entries_.size() <= kMaxFields;
  }

  bool ReadStrings() {
    BigVector<uint64_t> sizes;
    BigVector<char> bytes;
    if (!sections_.Bytes(of_table_[kStringBytes], bytes) ||
        !sections_.Integers(of_table_[kStringSizes], strings_, sizes) || sizes[0] != 0) {
      return false;
    }
    StringPool& pool = table_->strings;
    pool.Reserve(strings_);
    const char* next = bytes.data();
    uint64_t left = bytes.size();
    for (size_t i = 1; i < sizes.size(); ++i) {
      if (sizes[i] > left) return false;
      pool.AddDistinct({next, sizes[i]});
      next += sizes[i];
      left -= sizes[i];
    }
    pool.Keep(std::move(bytes));
    return left == 0;
  }

  bool ReadIds() {
    BigVector<char> bytes;
    if (!sections_.Bytes(of_table_[kSpanId], bytes)) return false;
    table_->span_id.resize(rows_);
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(table_->span_id.data()));
    if (!sections_.Bytes(of_table_[kTraceIds], bytes)) return false;
    for (size_t i = 0; i < traces_; ++i) {
      table_->traces.push_back({Load64(bytes.data() + i * 16), Load64(bytes.data() + i * 16 + 8)});
    }
    uint64_t t = 0;
    return sections_.Integers(of_table_[kTrace], rows_, table_->trace,
                              [&](uint64_t step, uint32_t& out) {
                                t += static_cast<uint64_t>(Unzigzag(step));
                                out = static_cast<uint32_t>(t);
                                return t < traces_;
                              }) &&
           ReadBelow(kName, strings_, table_->name) &&
           ReadBelow(kBuild, table_->builds.size(), table_->build) &&
           ReadBelow(kShape, shapes_, table_->shape);
  }

  bool ReadBelow(TableSection section, uint64_t limit, BigVector<uint32_t>& out) const {
    return sections_.Integers(of_table_[section], rows_, out,
                              [limit](uint64_t value, uint32_t& to) {
                                to = static_cast<uint32_t>(value);
                                return value < limit;
                              });
  }

  bool ReadParents() {
    BigVector<uint64_t> codes;
    if (!sections_.Integers(of_table_[kParent], rows_, codes)) return false;
    const auto strange_count =
        static_cast<size_t>(std::count(codes.begin(), codes.end(), kStrangeParent));
    BigVector<uint64_t> strange;
    if (!sections_.Integers(of_table_[kStrangeParents], strange_count, strange)) return false;
    table_->parent.assign(rows_, kNoRow);
    table_->parent_id.assign(rows_, 0);
    size_t next = 0;
    for (Row row = 0; row < rows_; ++row) {
      if (codes[row] == kNoParent) continue;
      if (codes[row] == kStrangeParent) {
        table_->parent_id[row] = strange[next++];
        continue;
      }
      const uint64_t parent = row - static_cast<uint64_t>(Unzigzag(codes[row] - kFirstParent));
      if (parent >= rows_) return false;
      table_->parent[row] = static_cast<Row>(parent);
      table_->parent_id[row] = table_->span_id[parent];
    }
    return true;
  }

  bool ReadTimes() {
    const auto as_is = [](uint64_t value, int64_t& out) {
      out = static_cast<int64_t>(value);
      return out >= 0;
    };
    const auto step = [](uint64_t value, int64_t& out) {
      out = Unzigzag(value);
      return true;
    };
    if (!sections_.Integers(of_table_[kDuration], rows_, table_->duration_ns, as_is) ||
        !sections_.Integers(of_table_[kStart], rows_, table_->start_ns, step)) {
      return false;
    }
    int64_t before_ns = 0;
    for (Row row = 0; row < rows_; ++row) {
      int64_t& start_ns = table_->start_ns[row];
      start_ns =
          static_cast<int64_t>(static_cast<uint64_t>(start_ns) + static_cast<uint64_t>(before_ns));
      if (__builtin_add_overflow(start_ns, table_->duration_ns[row], &before_ns)) return false;
    }
    return true;
  }

  bool ReadShapes() {
    BigVector<uint64_t> sizes;
    if (!sections_.Integers(of_table_[kShapeSizes], shapes_, sizes)) return false;
    RowLists& shapes = table_->shapes;
    shapes.offsets.push_back(0);
    uint64_t total = 0;
    for (const uint64_t size : sizes) {
      if (size > shape_fields_) return false;
      total += size;
      shapes.offsets.push_back(static_cast<uint32_t>(std::min<uint64_t>(total, UINT32_MAX)));
    }
    const auto below = [&](uint64_t value, Row& out) {
      out = static_cast<Row>(value);
      return value < entries_.size();
    };
    return total == shape_fields_ &&
           sections_.Integers(of_table_[kShapeFields], shape_fields_, shapes.rows, below);
  }

  bool ReadShifts() {
    uint64_t row = 0;
    const auto next_row = [&](uint64_t step, Row& out) {
      const uint64_t before = row;
      row += static_cast<uint64_t>(Unzigzag(step));
      out = static_cast<Row>(row);
      return row < rows_ && (row > before || before == 0);
    };
    uint64_t shift = 0;
    const auto next_shift = [&](uint64_t step, int64_t& out) {
      shift += static_cast<uint64_t>(Unzigzag(step));
      out = static_cast<int64_t>(shift);
      return true;
    };
    if (!sections_.Integers(of_table_[kShiftedRows], shifted_, table_->shifted, next_row) ||
        !sections_.Integers(of_table_[kShifts], shifted_, table_->shift_ns, next_shift)) {
      return false;
    }
    for (size_t i = 0; i < shifted_; ++i) {
      int64_t raw_ns = 0;
      const int64_t start_ns = table_->start_ns[table_->shifted[i]];
      if (__builtin_sub_overflow(start_ns, table_->shift_ns[i], &raw_ns)) return false;
    }
    return true;
  }

  bool BuildsFit() const {
    return std::all_of(table_->builds.begin(), table_->builds.end(),
                       [&](const BuildRows& build) {
                         return build.id < strings_ && build.begin <= build.end &&
                                build.end <= rows_;
                       }) &&
           std::all_of(table_->clocks.begin(), table_->clocks.end(), [&](const WorkerClock& clock) {
             return clock.worker_id < strings_ && clock.build < table_->builds.size();
           });
  }

  bool FieldsFit() const {
    return std::all_of(entries_.begin(), entries_.end(), [&](const FieldEntry& entry) {
      return entry.name < strings_ && entry.values <= rows_ && entry.kinds < 1 << kKinds &&
             entry.coding <= BitsCoding::kDelta;
    });
  }

  const std::string_view file_;
  const SectionReader sections_;
  std::unique_ptr<Table> table_;
  uint64_t rows_ = 0;
  uint64_t strings_ = 0;
  uint64_t traces_ = 0;
  uint64_t shapes_ = 0;
  uint64_t shape_fields_ = 0;
  uint64_t shifted_ = 0;
  TableSections of_table_;
  std::vector<FieldEntry> entries_;
};

}  // namespace

Result<std::unique_ptr<Table>> DecodeColumnar(std::string file, const SourceStamp& stamp) {
  const Error damaged{Code::kInvalid, "the columnar file is damaged"};
  const Error stale{Code::kNotFound, "the columnar file is of another trace or version"};
  if (!std::string_view(file).starts_with(kColumnarMagic)) return stale;
  if (file.size() < kColumnarHeadBytes) return damaged;
  if (Hash(std::string_view(file).substr(16), kColumnarHashSeed) != Load64At(file, 8)) {
    return damaged;
  }
  ColumnarReader reader(file);
  SourceStamp made_from;
  if (!reader.ReadDirectory(made_from)) return damaged;
  if (made_from != stamp) return stale;
  if (!reader.ReadTable()) return damaged;
  return reader.Finish(std::move(file));
}

}  // namespace llama::traces
