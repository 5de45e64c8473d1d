#include "traces/load/merge.h"

#include <algorithm>
#include <unordered_map>

#include "traces/columns/trace_index.h"
#include "traces/load/tree.h"

namespace llama::traces {
namespace {

// The columns of a part that had them in memory.
class PartFields final : public FieldSource {
 public:
  explicit PartFields(std::deque<TableField> fields) : fields_(std::move(fields)) {}
  void Read(FieldId index, FieldColumn& out) const override {
    fields_[index].column.ForEach([&](Row row, Value value) {
      const bool text = value.kind == Kind::kString || value.kind == Kind::kJson;
      if (text) value.bits = strings[value.bits];
      out.Append(base + row, value);
    });
  }

 private:
  const std::deque<TableField> fields_;
};

}  // namespace

class Merger::Impl {
 public:
  explicit Impl(size_t parts)
      : parts_(parts), table_(std::make_unique<Table>()), traces_(table_->traces) {}

  void Add(Table& part) {
    if (table_->size() == 0) Reserve(parts_ * part.size());
    base_ = table_->size();
    strings_ = table_->strings.TakeOver(std::move(part.strings));
    AddReport(part.report);
    AddRows(part);
    AddBuilds(part);
    AddFields(part);
  }

  std::unique_ptr<Table> Finish() {
    CompleteTree(*table_);
    return std::move(table_);
  }

 private:
  void Reserve(size_t rows) {
    table_->trace.reserve(rows);
    table_->span_id.reserve(rows);
    table_->parent_id.reserve(rows);
    table_->name.reserve(rows);
    table_->start_ns.reserve(rows);
    table_->duration_ns.reserve(rows);
    table_->shape.reserve(rows);
    table_->parent.reserve(rows);
    table_->build.reserve(rows);
  }

  void AddReport(const LoadReport& part) {
    LoadReport& all = table_->report;
    all.files += part.files;
    all.cached_files += part.cached_files;
    all.bytes += part.bytes;
    all.lines += part.lines;
    all.malformed += part.malformed;
    all.too_long += part.too_long;
    all.duplicates += part.duplicates;
    all.late += part.late;
    all.orphans += part.orphans;
    all.cyclic += part.cyclic;
    all.dropped_fields += part.dropped_fields;
    all.truncated += part.truncated;
    all.examples.insert(all.examples.end(), part.examples.begin(), part.examples.end());
  }

  template <typename T, typename F>
  static void Append(BigVector<T>& to, BigVector<T>& from, F&& map) {
    for (const T& value : from) to.push_back(map(value));
    from = {};
  }
  template <typename T>
  static void Append(BigVector<T>& to, BigVector<T>& from) {
    to.insert(to.end(), from.begin(), from.end());
    from = {};
  }

  void AddRows(Table& part) {
    std::vector<uint32_t> numbers;
    for (const trace::TraceId& id : part.traces) numbers.push_back(traces_.Number(id));
    const auto shapes = static_cast<uint32_t>(table_->shapes.size());
    Append(table_->trace, part.trace, [&](uint32_t t) { return numbers[t]; });
    Append(table_->span_id, part.span_id);
    Append(table_->parent_id, part.parent_id);
    Append(table_->name, part.name, [&](StringId id) { return strings_[id]; });
    Append(table_->start_ns, part.start_ns);
    Append(table_->duration_ns, part.duration_ns);
    Append(table_->shape, part.shape, [&](uint32_t shape) { return shapes + shape; });
    Append(table_->shifted, part.shifted, [&](Row row) { return base_ + row; });
    Append(table_->shift_ns, part.shift_ns);
    Append(table_->parent, part.parent,
           [&](Row row) { return row == kNoRow ? kNoRow : base_ + row; });
  }

  void AddBuilds(Table& part) {
    std::vector<uint32_t> numbers;
    for (const BuildRows& build : part.builds) {
      const StringId id = strings_[build.id];
      const auto known = std::find_if(table_->builds.begin(), table_->builds.end(),
                                      [&](const BuildRows& other) { return other.id == id; });
      numbers.push_back(static_cast<uint32_t>(known - table_->builds.begin()));
      if (known == table_->builds.end()) table_->builds.push_back({id, base_ + build.begin, 0});
      table_->builds[numbers.back()].end = base_ + build.end;
    }
    Append(table_->build, part.build, [&](uint32_t build) { return numbers[build]; });
    for (WorkerClock clock : part.clocks) {
      clock.worker_id = strings_[clock.worker_id];
      clock.build = numbers[clock.build];
      table_->clocks.push_back(clock);
    }
  }

  FieldId FieldOf(StringId name) {
    const auto [it, added] = fields_.try_emplace(name, static_cast<FieldId>(table_->fields.size()));
    if (added) table_->fields.emplace_back().name = name;
    return it->second;
  }

  void AddFields(Table& part) {
    std::vector<FieldId> numbers;
    for (const TableField& field : part.fields) {
      numbers.push_back(FieldOf(strings_[field.name]));
      TableField& all = table_->fields[numbers.back()];
      all.kinds = KindSet(static_cast<uint8_t>(all.kinds.bits() | field.kinds.bits()));
      all.values += field.values;
    }
    RowLists& shapes = table_->shapes;
    if (shapes.offsets.empty()) shapes.offsets.push_back(0);
    for (size_t i = 0; i < part.shapes.size(); ++i) {
      for (const FieldId field : part.shapes[i]) shapes.rows.push_back(numbers[field]);
      shapes.offsets.push_back(static_cast<uint32_t>(shapes.rows.size()));
    }
    if (part.sources.empty()) {
      part.sources.push_back(std::make_unique<PartFields>(std::move(part.fields)));
    }
    FieldSource& source = *part.sources[0];
    source.base = base_;
    source.strings = std::move(strings_);
    for (FieldId index = 0; index < numbers.size(); ++index) {
      table_->fields[numbers[index]].pending.push_back({&source, index});
    }
    table_->sources.push_back(std::move(part.sources[0]));
  }

  const size_t parts_;
  std::unique_ptr<Table> table_;
  TraceIndex traces_;
  std::unordered_map<StringId, FieldId> fields_;
  // Of the part that is being added.
  Row base_ = 0;
  std::vector<StringId> strings_;
};

Merger::Merger(size_t parts) : impl_(std::make_unique<Impl>(parts)) {}
Merger::~Merger() = default;
void Merger::Add(std::unique_ptr<Table> part) { impl_->Add(*part); }
std::unique_ptr<Table> Merger::Finish() { return impl_->Finish(); }

}  // namespace llama::traces
