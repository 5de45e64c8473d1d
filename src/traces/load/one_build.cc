#include "traces/load/one_build.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/text/format.h"
#include "trace/names.h"

namespace llama::traces {
namespace {

using Numbers = std::vector<uint32_t>;  // of builds of a table

std::string_view IdOf(const Table& table, uint32_t build) {
  return table.strings[table.builds[build].id];
}

// The builds that a span names. Only where none does, files are builds: what else is in a file with
// builds belongs to none of them, or, where there is one, to that.
Numbers FindBuilds(Table& table) {
  std::vector<bool> named(table.builds.size(), false);
  const auto key = table.strings.Find(trace::field::kBuildId);
  for (TableField& field : table.fields) {
    if (!key || field.name != *key) continue;
    ReadField(field, table.size()).ForEach([&](Row row, Value value) {
      const uint32_t build = table.build[row];
      if (value == Value::String(table.builds[build].id)) named[build] = true;
    });
  }
  const bool any = std::find(named.begin(), named.end(), true) != named.end();
  Numbers builds;
  for (uint32_t i = 0; i < named.size(); ++i) {
    if (named[i] || !any) builds.push_back(i);
  }
  return builds;
}

std::string ListOf(const Table& table, const Numbers& builds) {
  constexpr size_t kMost = 10;
  std::string list;
  for (size_t i = 0; i < std::min(kMost, builds.size()); ++i) {
    list.append(i == 0 ? "" : " ").append(Printable(IdOf(table, builds[i])));
  }
  return builds.size() > kMost ? list + " …" : list;
}

Result<uint32_t> FindId(const Table& table, const Numbers& builds, std::string_view id) {
  std::optional<uint32_t> found;
  bool several = false;
  for (const uint32_t build : builds) {
    const std::string_view known = IdOf(table, build);
    if (known == id) return build;
    if (!known.starts_with(id)) continue;
    several = several || found.has_value();
    found = build;
  }
  if (several) {
    return Error{Code::kInvalid, "'" + Printable(id) + "' begins the ids of several builds of " +
                                     "the trace: " + ListOf(table, builds)};
  }
  if (found) return *found;
  return Error{Code::kNotFound,
               "no build '" + Printable(id) + "' in the trace; it has " + ListOf(table, builds)};
}

uint32_t FindLast(const Table& table, const Numbers& builds) {
  std::vector<int64_t> begins_ns(table.builds.size(), INT64_MAX);
  for (Row row = 0; row < table.size(); ++row) {
    int64_t& begin_ns = begins_ns[table.build[row]];
    begin_ns = std::min(begin_ns, table.start_ns[row]);
  }
  uint32_t last = builds[0];
  for (const uint32_t build : builds) {
    if (begins_ns[build] >= begins_ns[last]) last = build;
  }
  return last;
}

// Where each row goes; kNoRow: it is left out.
using Moves = BigVector<Row>;

template <typename T>
void Compact(BigVector<T>& values, const Moves& moves, Row kept) {
  for (Row row = 0; row < moves.size(); ++row) {
    if (moves[row] != kNoRow) values[moves[row]] = values[row];
  }
  values.resize(kept);
}

void CompactFields(Table& table, const Moves& moves, Row kept) {
  for (TableField& field : table.fields) {
    FieldColumn column;
    ReadField(field, table.size()).ForEach([&](Row row, Value value) {
      if (moves[row] != kNoRow) column.Append(moves[row], value);
    });
    column.Freeze(kept);
    field.kinds = column.kinds();
    field.values = column.size();
    field.column = std::move(column);
    field.pending.clear();
  }
}

void CompactShifts(Table& table, const Moves& moves) {
  size_t kept = 0;
  for (size_t i = 0; i < table.shifted.size(); ++i) {
    if (moves[table.shifted[i]] == kNoRow) continue;
    table.shifted[kept] = moves[table.shifted[i]];
    table.shift_ns[kept++] = table.shift_ns[i];
  }
  table.shifted.resize(kept);
  table.shift_ns.resize(kept);
}

void CompactClocks(Table& table, uint32_t build) {
  std::erase_if(table.clocks, [&](const WorkerClock& clock) { return clock.build != build; });
  for (WorkerClock& clock : table.clocks) clock.build = 0;
}

void RenumberTraces(Table& table) {
  std::vector<uint32_t> numbers(table.traces.size(), UINT32_MAX);
  std::vector<trace::TraceId> traces;
  for (uint32_t& trace : table.trace) {
    if (numbers[trace] == UINT32_MAX) {
      numbers[trace] = static_cast<uint32_t>(traces.size());
      traces.push_back(table.traces[trace]);
    }
    trace = numbers[trace];
  }
  table.traces = std::move(traces);
}

void KeepRowsOf(Table& table, uint32_t build) {
  Moves moves(table.size(), kNoRow);
  Row kept = 0;
  for (Row row = 0; row < table.size(); ++row) {
    if (table.build[row] == build) moves[row] = kept++;
  }
  CompactFields(table, moves, kept);
  CompactShifts(table, moves);
  CompactClocks(table, build);
  for (Row& parent : table.parent) parent = parent == kNoRow ? kNoRow : moves[parent];
  Compact(table.parent, moves, kept);
  Compact(table.trace, moves, kept);
  Compact(table.span_id, moves, kept);
  Compact(table.parent_id, moves, kept);
  Compact(table.name, moves, kept);
  Compact(table.duration_ns, moves, kept);
  Compact(table.shape, moves, kept);
  Compact(table.start_ns, moves, kept);
  table.build.assign(kept, 0);
  table.builds = {{table.builds[build].id, 0, kept}};
  table.paths.clear();
  RenumberTraces(table);
}

}  // namespace

Result<bool> KeepOneBuild(Table& table, const std::string& build, std::string_view usual) {
  if (table.builds.empty()) return false;
  const Numbers builds = FindBuilds(table);
  const auto own = std::find_if(builds.begin(), builds.end(), [&](uint32_t b) {
    return !usual.empty() && IdOf(table, b) == usual;
  });
  uint32_t kept = 0;
  if (!build.empty()) {
    ASSIGN_OR_RETURN(kept, FindId(table, builds, build));
  } else {
    kept = own != builds.end() ? *own : FindLast(table, builds);
  }
  if (builds.size() == 1) return false;
  table.report.other_builds = builds.size() - 1;
  KeepRowsOf(table, kept);
  return true;
}

}  // namespace llama::traces
