#include "traces/load/tree.h"

#include <algorithm>
#include <bit>
#include <unordered_map>

#include "base/hash.h"
#include "trace/names.h"

namespace llama::traces {
namespace {

// Span ids of one trace, to rows. Traces are small, so it is made anew for each, in the same
// memory.
class SpanIndex {
 public:
  void Start(size_t spans) {
    const size_t slots = std::bit_ceil(spans * 2);
    if (slots > slots_.size()) slots_.resize(slots);
    std::fill_n(slots_.begin(), slots, Slot{});
    mask_ = slots - 1;
  }
  // The row that had the id before, or kNoRow: then it has it now.
  Row Add(trace::SpanId id, Row row) {
    Slot& slot = Find(id);
    if (slot.row != kNoRow) return slot.row;
    slot = {id, row};
    return kNoRow;
  }
  Row Get(trace::SpanId id) { return Find(id).row; }

 private:
  struct Slot {
    trace::SpanId id = 0;
    Row row = kNoRow;
  };
  Slot& Find(trace::SpanId id) {
    size_t at = Fold(id ^ seed_, 0x9e3779b97f4a7c15) & mask_;
    while (slots_[at].row != kNoRow && slots_[at].id != id) at = (at + 1) & mask_;
    return slots_[at];
  }

  const uint64_t seed_ = trace::NewSpanId();  // so that nobody can choose ids that collide
  size_t mask_ = 0;
  std::vector<Slot> slots_;
};

template <typename T>
void Drop(BigVector<T>& values, const std::vector<bool>& gone) {
  size_t kept = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!gone[i]) values[kept++] = values[i];
  }
  values.resize(kept);
}

void DropRows(Table& table, const std::vector<bool>& gone) {
  std::vector<Row> numbers(gone.size());
  Row kept = 0;
  for (size_t row = 0; row < gone.size(); ++row) numbers[row] = gone[row] ? kNoRow : kept++;
  Drop(table.trace, gone);
  Drop(table.span_id, gone);
  Drop(table.parent_id, gone);
  Drop(table.name, gone);
  Drop(table.start_ns, gone);
  Drop(table.duration_ns, gone);
  Drop(table.build, gone);
  Drop(table.shape, gone);
  for (TableField& field : table.fields) {
    FieldColumn column;
    field.column.ForEach([&](Row row, Value value) {
      if (numbers[row] != kNoRow) column.Append(numbers[row], value);
    });
    column.Freeze(kept);
    field.column = std::move(column);
    field.kinds = field.column.kinds();
    field.values = field.column.size();
  }
}

void DropDuplicates(Table& table) {
  SpanIndex index;
  std::vector<bool> gone;
  for (size_t t = 0; t < table.trace_rows.size(); ++t) {
    const auto rows = table.trace_rows[t];
    index.Start(rows.size());
    for (const Row row : rows) {
      if (index.Add(table.span_id[row], row) == kNoRow) continue;
      gone.resize(table.size());
      gone[row] = true;
      ++table.report.duplicates;
    }
  }
  if (gone.empty()) return;
  DropRows(table, gone);
  table.trace_rows = ListRows(table.trace, table.traces.size());
}

// The child that makes a path longer: interned by (parent, name).
class PathIndex {
 public:
  explicit PathIndex(std::vector<NamePath>& paths) : paths_(paths) {}
  uint32_t Child(uint32_t parent, StringId name) {
    const auto [it, added] =
        index_.try_emplace(uint64_t{parent} << 32 | name, static_cast<uint32_t>(paths_.size()));
    if (added) paths_.push_back({parent, name});
    return it->second;
  }

 private:
  struct KeyHash {
    size_t operator()(uint64_t key) const { return Fold(key, 0x9e3779b97f4a7c15); }
  };
  std::vector<NamePath>& paths_;
  std::unordered_map<uint64_t, uint32_t, KeyHash> index_;
};

// The part of a row's duration in which none of its children, which are sorted, ran.
int64_t SelfNs(const Table& table, Row row) {
  const int64_t end_ns = table.start_ns[row] + table.duration_ns[row];
  int64_t covered_to_ns = table.start_ns[row];
  int64_t self_ns = table.duration_ns[row];
  for (const Row child : table.children[row]) {
    const int64_t from_ns = std::max(table.start_ns[child], covered_to_ns);
    const int64_t to_ns = std::min(table.start_ns[child] + table.duration_ns[child], end_ns);
    if (to_ns <= from_ns) continue;
    self_ns -= to_ns - from_ns;
    covered_to_ns = to_ns;
  }
  return self_ns;
}

}  // namespace

void ResolveParents(Table& table) {
  table.trace_rows = ListRows(table.trace, table.traces.size());
  DropDuplicates(table);
  table.parent.assign(table.size(), kNoRow);
  SpanIndex index;
  for (size_t t = 0; t < table.trace_rows.size(); ++t) {
    const auto rows = table.trace_rows[t];
    index.Start(rows.size());
    for (const Row row : rows) index.Add(table.span_id[row], row);
    bool root_seen = false;
    for (const Row row : rows) {
      table.report.late += root_seen ? 1 : 0;
      const trace::SpanId id = table.parent_id[row];
      if (id == 0) {
        root_seen = true;
        continue;
      }
      table.parent[row] = index.Get(id);
      if (table.parent[row] == kNoRow) ++table.report.orphans;
    }
  }
}

BigVector<Row> OrderRows(Table& table) {
  const Row rows = table.size();
  table.children = ListRows(table.parent, rows);
  BigVector<Row> order;
  order.reserve(rows);
  std::vector<bool> reached(rows);
  const auto reach = [&](Row root) {
    size_t next = order.size();
    order.push_back(root);
    reached[root] = true;
    for (; next < order.size(); ++next) {
      for (const Row child : table.children[order[next]]) {
        if (reached[child]) continue;  // the root that a cycle was cut at
        reached[child] = true;
        order.push_back(child);
      }
    }
  };
  for (Row row = 0; row < rows; ++row) {
    if (table.parent[row] == kNoRow) reach(row);
  }
  if (order.size() < rows) {
    // What is left hangs on cycles. Going up from any row ends in one; its row is made a root.
    std::vector<Row> seen_from(rows, kNoRow);
    for (Row row = 0; row < rows; ++row) {
      if (reached[row]) continue;
      Row at = row;
      for (; seen_from[at] != row; at = table.parent[at]) seen_from[at] = row;
      table.parent[at] = kNoRow;
      ++table.report.cyclic;
      reach(at);
    }
    table.children = ListRows(table.parent, rows);
  }
  table.roots.clear();
  for (Row row = 0; row < rows; ++row) {
    if (table.parent[row] == kNoRow) table.roots.push_back(row);
  }
  return order;
}

void AssignBuilds(Table& table, std::span<const StringId> labels) {
  std::vector<StringId> of_trace(table.traces.size(), 0);
  const auto key = table.strings.Find(trace::field::kBuildId);
  for (const TableField& field : table.fields) {
    if (!key || field.name != *key) continue;
    field.column.ForEach([&](Row row, Value value) {
      StringId& id = of_trace[table.trace[row]];
      if (id == 0 && value.kind == Kind::kString) id = value.as_string();
    });
  }
  std::unordered_map<StringId, uint32_t> numbers;
  StringId last = 0;
  uint32_t number = 0;
  for (Row row = 0; row < table.size(); ++row) {
    const StringId own = of_trace[table.trace[row]];
    const StringId id = own != 0 ? own : labels[table.build[row]];
    if (table.builds.empty() || id != last) {
      const auto [it, added] = numbers.try_emplace(id, static_cast<uint32_t>(numbers.size()));
      if (added) table.builds.push_back({id, row, row});
      number = it->second;
      last = id;
    }
    table.build[row] = number;
    table.builds[number].end = row + 1;
  }
}

void MeasureTree(Table& table, std::span<const Row> order) {
  const Row rows = table.size();
  table.depth.assign(rows, 0);
  table.path.assign(rows, 0);
  table.self_ns.assign(rows, 0);
  PathIndex paths(table.paths);
  for (const Row row : order) {
    const Row parent = table.parent[row];
    if (parent == kNoRow) {
      table.path[row] = paths.Child(NamePath::kNoPath, table.name[row]);
      continue;
    }
    const uint16_t above = table.depth[parent];
    table.depth[row] = static_cast<uint16_t>(std::min(above + 1, int{UINT16_MAX}));
    table.path[row] = above + 1 < kMaxPathDepth ? paths.Child(table.path[parent], table.name[row])
                                                : table.path[parent];
  }
  const auto earlier = [&](Row a, Row b) { return table.start_ns[a] < table.start_ns[b]; };
  for (Row row = 0; row < rows; ++row) {
    const auto children = table.children.Mutable(row);
    if (!std::is_sorted(children.begin(), children.end(), earlier)) {
      std::stable_sort(children.begin(), children.end(), earlier);
    }
    table.self_ns[row] = SelfNs(table, row);
  }
}

void CompleteTree(Table& table) {
  table.trace_rows = ListRows(table.trace, table.traces.size());
  const BigVector<Row> order = OrderRows(table);
  MeasureTree(table, order);
}

}  // namespace llama::traces
