#include <cstring>

#include "base/hash.h"
#include "traces/load/columnar_file.h"
#include "traces/load/columnar_layout.h"

namespace llama::traces {
namespace {

template <typename T, typename F>
Section Write(SectionWriter& out, const T& values, F&& map) {
  BigVector<uint64_t> integers;
  integers.reserve(values.size());
  for (size_t i = 0; i < values.size(); ++i) integers.push_back(map(i));
  return out.Integers(integers);
}

// As differences from one to the next.
template <typename T>
Section WriteSteps(SectionWriter& out, const T& values) {
  return Write(out, values, [&](size_t i) {
    const auto before = i == 0 ? uint64_t{0} : static_cast<uint64_t>(values[i - 1]);
    return Zigzag(static_cast<int64_t>(static_cast<uint64_t>(values[i]) - before));
  });
}

template <typename T>
Section WritePlain(SectionWriter& out, const T& values) {
  return Write(out, values, [&](size_t i) { return uint64_t{values[i]}; });
}

template <typename T>
std::string_view AsBytes(const T& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(values[0])};
}

void WriteStrings(const StringPool& strings, SectionWriter& out, TableSections& sections) {
  BigVector<uint64_t> sizes;
  std::string bytes;
  bytes.reserve(strings.bytes());
  for (StringId id = 0; id < strings.size(); ++id) {
    sizes.push_back(strings[id].size());
    bytes.append(strings[id]);
  }
  sections[kStringSizes] = out.Integers(sizes);
  sections[kStringBytes] = out.Bytes(bytes);
}

void WriteParents(const Table& table, SectionWriter& out, TableSections& sections) {
  BigVector<uint64_t> strange;
  sections[kParent] = Write(out, table.parent, [&](size_t row) {
    const Row parent = table.parent[row];
    if (parent != kNoRow) {
      return kFirstParent + Zigzag(static_cast<int64_t>(row) - static_cast<int64_t>(parent));
    }
    if (table.parent_id[row] == 0) return kNoParent;
    strange.push_back(table.parent_id[row]);
    return kStrangeParent;
  });
  sections[kStrangeParents] = out.Integers(strange);
}

// A span mostly begins where the one before ends.
void WriteTimes(const Table& table, SectionWriter& out, TableSections& sections) {
  sections[kStart] = Write(out, table.start_ns, [&](size_t row) {
    const int64_t before = row == 0 ? 0 : table.start_ns[row - 1] + table.duration_ns[row - 1];
    return Zigzag(static_cast<int64_t>(static_cast<uint64_t>(table.start_ns[row]) -
                                       static_cast<uint64_t>(before)));
  });
  sections[kDuration] =
      Write(out, table.duration_ns, [&](size_t row) { return uint64_t(table.duration_ns[row]); });
}

TableSections WriteTable(const Table& table, SectionWriter& out) {
  TableSections sections;
  WriteStrings(table.strings, out, sections);
  BigVector<uint64_t> ids;
  for (const trace::TraceId& id : table.traces) {
    ids.push_back(id.high);
    ids.push_back(id.low);
  }
  sections[kTraceIds] = out.Bytes(AsBytes(ids), false);
  sections[kTrace] = WriteSteps(out, table.trace);
  sections[kSpanId] = out.Bytes(AsBytes(table.span_id), false);
  WriteParents(table, out, sections);
  sections[kName] = WritePlain(out, table.name);
  WriteTimes(table, out, sections);
  sections[kBuild] = WritePlain(out, table.build);
  sections[kShape] = WritePlain(out, table.shape);
  BigVector<uint64_t> sizes;
  for (size_t i = 0; i < table.shapes.size(); ++i) sizes.push_back(table.shapes[i].size());
  sections[kShapeSizes] = out.Integers(sizes);
  sections[kShapeFields] = WritePlain(out, table.shapes.rows);
  sections[kShiftedRows] = WriteSteps(out, table.shifted);
  sections[kShifts] = WriteSteps(out, table.shift_ns);
  return sections;
}

void Encode(Encoder& out, const LoadReport& report) {
  for (const uint64_t count :
       {report.files, report.lines, report.malformed, report.too_long, report.duplicates,
        report.late, report.orphans, report.cyclic, report.dropped_fields, report.truncated}) {
    out.Uint(count);
  }
  out.Uint(report.examples.size());
  for (const std::string& example : report.examples) out.Bytes(example);
}

void Encode(Encoder& out, const Table& table) {
  out.Uint(table.builds.size());
  for (const BuildRows& build : table.builds) {
    out.Uint(build.id);
    out.Uint(build.begin);
    out.Uint(build.end);
  }
  out.Uint(table.clocks.size());
  for (const WorkerClock& clock : table.clocks) {
    out.Uint(clock.worker_id);
    out.Uint(clock.build);
    out.Uint(clock.calls);
    out.Int(clock.offset_ns);
    out.Int(clock.uncertainty_ns);
    out.Bool(clock.consistent);
  }
}

void Encode(Encoder& out, const FieldEntry& entry) {
  out.Uint(entry.name);
  out.Uint(entry.kinds);
  out.Uint(entry.uniform);
  out.Uint(entry.layout);
  out.Uint(entry.values);
  out.Uint(static_cast<uint64_t>(entry.coding));
  Encode(out, entry.presence);
  Encode(out, entry.tags);
  Encode(out, entry.bits);
}

void Store64(std::string& file, size_t at, uint64_t value) {
  for (size_t i = 0; i < 8; ++i) file[at + i] = static_cast<char>(value >> (8 * i));
}

}  // namespace

std::string EncodeColumnar(const Table& table, const SourceStamp& stamp) {
  const uint64_t limit = MaxShapeFields(table.size());
  if (table.shapes.rows.size() > limit || table.shapes.size() > limit) return "";
  std::string file(kColumnarMagic);
  file.resize(kColumnarHeadBytes);
  SectionWriter sections(file);
  const TableSections of_table = WriteTable(table, sections);
  Encoder directory;
  directory.Uint(stamp.size);
  directory.Int(stamp.mtime_ns);
  directory.Uint(stamp.hash);
  Encode(directory, table.report);
  directory.Uint(table.size());
  directory.Uint(table.strings.size());
  directory.Uint(table.traces.size());
  directory.Uint(table.shapes.size());
  directory.Uint(table.shapes.rows.size());
  directory.Uint(table.shifted.size());
  for (const Section& section : of_table) Encode(directory, section);
  Encode(directory, table);
  directory.Uint(table.fields.size());
  for (const TableField& field : table.fields) {
    FieldEntry entry = ColumnCodec::Write(field.column, sections);
    entry.name = field.name;
    Encode(directory, entry);
  }
  Store64(file, 16, file.size());
  file += directory.str();
  Store64(file, 8, Hash(std::string_view(file).substr(16), kColumnarHashSeed));
  return file;
}

}  // namespace llama::traces
