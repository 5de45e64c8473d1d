#include "exports/spans/selection.h"

#include <algorithm>
#include <limits>

#include "trace/names.h"
#include "trace/span.h"

namespace llama::exports {
namespace {

using traces::Columns;
using traces::kNoRow;

std::vector<int64_t> BuildStarts(const Columns& columns) {
  const int64_t none = std::numeric_limits<int64_t>::max();
  std::vector<int64_t> starts(columns.builds().size(), none);
  for (const Row row : columns.rows_named(trace::span::kBuild)) {
    if (columns.parent()[row] != kNoRow) continue;
    int64_t& start = starts[columns.build()[row]];
    start = std::min(start, columns.start_ns()[row]);
  }
  std::vector<int64_t> first(starts.size(), none);
  for (Row row = 0; row < columns.size(); ++row) {
    int64_t& start = first[columns.build()[row]];
    start = std::min(start, columns.start_ns()[row]);
  }
  for (size_t i = 0; i < starts.size(); ++i) {
    if (starts[i] == none) starts[i] = first[i];
  }
  return starts;
}

Result<uint32_t> FindTrace(const Columns& columns, const std::string& id) {
  const auto traces = columns.traces();
  std::optional<uint32_t> found;
  for (uint32_t t = 0; t < traces.size(); ++t) {
    const std::string hex = trace::Hex(traces[t]);
    // The original's ids have 16 digits.
    if (hex == id || (id.size() == 16 && hex == std::string(16, '0') + id)) return t;
    if (id.empty() || !hex.starts_with(id)) continue;
    if (found) return Error{Code::kInvalid, "several traces begin with '" + id + "'"};
    found = t;
  }
  if (!found) return Error{Code::kNotFound, "no trace '" + id + "'"};
  return *found;
}

struct Extent {
  uint32_t trace = 0;
  uint64_t ns = 0;
};

// From its first span's start to its last one's end. Starts may be as far apart as int64 allows.
Extent ExtentOf(const Columns& columns, uint32_t trace) {
  int64_t begin = std::numeric_limits<int64_t>::max();
  int64_t end = std::numeric_limits<int64_t>::min();
  for (const Row row : columns.rows_of_trace(trace)) {
    begin = std::min(begin, columns.start_ns()[row]);
    end = std::max(end, columns.end_ns(row));
  }
  return {trace, static_cast<uint64_t>(end) - static_cast<uint64_t>(begin)};
}

std::vector<uint32_t> Slowest(const Columns& columns, const std::vector<uint32_t>& traces,
                              uint64_t count) {
  std::vector<Extent> extents;
  for (const uint32_t trace : traces) {
    if (!IsBuildTrace(columns, trace)) extents.push_back(ExtentOf(columns, trace));
  }
  const size_t kept = static_cast<size_t>(std::min<uint64_t>(count, extents.size()));
  std::partial_sort(extents.begin(), extents.begin() + static_cast<ptrdiff_t>(kept), extents.end(),
                    [](const Extent& a, const Extent& b) {
                      return a.ns != b.ns ? a.ns > b.ns : a.trace < b.trace;
                    });
  std::vector<uint32_t> slowest;
  for (size_t i = 0; i < kept; ++i) slowest.push_back(extents[i].trace);
  return slowest;
}

Result<std::vector<uint32_t>> ChooseTraces(const Columns& columns, const SelectOptions& options) {
  std::vector<uint32_t> traces;
  for (const std::string& id : options.traces) {
    ASSIGN_OR_RETURN(const uint32_t trace, FindTrace(columns, id));
    if (std::find(traces.begin(), traces.end(), trace) == traces.end()) traces.push_back(trace);
  }
  if (options.traces.empty()) {
    for (uint32_t t = 0; t < columns.traces().size(); ++t) traces.push_back(t);
  }
  if (options.slowest) return Slowest(columns, traces, *options.slowest);
  return traces;
}

}  // namespace

bool IsBuildTrace(const Columns& columns, uint32_t trace) {
  for (const Row row : columns.rows_of_trace(trace)) {
    if (columns.parent()[row] == kNoRow &&
        columns.text(columns.name()[row]) == trace::span::kBuild) {
      return true;
    }
  }
  return false;
}

Selection::Selection(const Columns& columns)
    : columns_(&columns),
      present_(columns.size() / 64 + 1),
      build_start_ns_(BuildStarts(columns)) {}

Result<Selection> Selection::Of(const Columns& columns, const SelectOptions& options) {
  ASSIGN_OR_RETURN(const std::vector<uint32_t> traces, ChooseTraces(columns, options));
  Selection selection(columns);
  for (const uint32_t trace : traces) selection.AddTrace(trace, options.range);
  selection.SortTraces();
  return selection;
}

void Selection::AddTrace(uint32_t trace, const std::optional<TimeRange>& range) {
  const auto start_ns = columns_->start_ns();
  const auto begin = static_cast<uint32_t>(rows_.size());
  std::vector<Row> stack;  // its end comes next
  for (const Row row : columns_->rows_of_trace(trace)) {
    if (columns_->parent()[row] == kNoRow) stack.push_back(row);
  }
  std::stable_sort(stack.begin(), stack.end(),
                   [&](Row a, Row b) { return start_ns[a] > start_ns[b]; });
  while (!stack.empty()) {
    const Row row = stack.back();
    stack.pop_back();
    const auto children = columns_->children(row);
    stack.insert(stack.end(), children.rbegin(), children.rend());
    if (range && !range->Overlaps(start_ns[row], columns_->end_ns(row),
                                  build_start_ns_[columns_->build()[row]])) {
      continue;
    }
    rows_.push_back(row);
    present_[row / 64] |= uint64_t{1} << (row % 64);
  }
  const auto end = static_cast<uint32_t>(rows_.size());
  if (end == begin) return;
  int64_t first_ns = std::numeric_limits<int64_t>::max();
  for (uint32_t i = begin; i < end; ++i) first_ns = std::min(first_ns, start_ns[rows_[i]]);
  traces_.push_back({trace, begin, end, first_ns});
}

void Selection::SortTraces() {
  std::stable_sort(
      traces_.begin(), traces_.end(),
      [](const SelectedTrace& a, const SelectedTrace& b) { return a.start_ns < b.start_ns; });
  std::vector<Row> sorted;
  sorted.reserve(rows_.size());
  for (SelectedTrace& trace : traces_) {
    const auto rows = rows_of(trace);
    const auto begin = static_cast<uint32_t>(sorted.size());
    sorted.insert(sorted.end(), rows.begin(), rows.end());
    trace.begin = begin;
    trace.end = static_cast<uint32_t>(sorted.size());
  }
  rows_ = std::move(sorted);
  if (!traces_.empty()) first_start_ns_ = traces_[0].start_ns;
}

}  // namespace llama::exports
