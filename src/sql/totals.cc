#include "sql/totals.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/log.h"
#include "base/text/json.h"
#include "trace/names.h"
#include "traces/columns/numbers.h"
#include "traces/columns/percentile.h"
#include "traces/columns/rows_by_build.h"

namespace llama::sql {
namespace {

constexpr Affinity kNumeric = Affinity::kNumeric;
constexpr Affinity kAnything = Affinity::kNone;  // fields of foreign traces

// The spans of one name in one build.
struct Phase {
  std::vector<int64_t> durations_ns;
  int64_t sum_ns = 0;
  int64_t self_ns = 0;
  int64_t depth = INT64_MAX;  // the least
};

MadeTable::Rows MakePhases(const traces::Columns& columns,
                           const std::vector<std::string>& build_names) {
  std::map<std::string_view, traces::StringId> names;
  for (const traces::StringId id : columns.span_names()) names.emplace(columns.text(id), id);
  std::vector<int64_t> build_self_ns(build_names.size(), 0);
  for (traces::Row row = 0; row < columns.size(); ++row) {
    int64_t& self_ns = build_self_ns[columns.build()[row]];
    self_ns = traces::AddUp(self_ns, columns.self_ns()[row]);
  }
  MadeTable::Rows rows;
  for (const auto& [name, id] : names) {
    const auto named = columns.rows_named(id);
    const traces::RowsByBuild by_build(columns, {named.begin(), named.end()});
    by_build.ForEach([&, span_name = name](uint32_t build, std::span<const traces::Row> of_build) {
      Phase phase;
      for (const traces::Row row : of_build) {
        phase.durations_ns.push_back(columns.duration_ns()[row]);
        phase.sum_ns = traces::AddUp(phase.sum_ns, columns.duration_ns()[row]);
        phase.self_ns = traces::AddUp(phase.self_ns, columns.self_ns()[row]);
        phase.depth = std::min<int64_t>(phase.depth, columns.depth()[row]);
      }
      auto& ns = phase.durations_ns;
      const auto count = static_cast<int64_t>(ns.size());
      const double share = build_self_ns[build] > 0 ? static_cast<double>(phase.self_ns) /
                                                          static_cast<double>(build_self_ns[build])
                                                    : 0;
      rows.push_back({Cell::Text(columns.text(columns.builds()[build].id)),
                      Cell::Text(build_names[build]), Cell::Text(span_name), Cell::Int(phase.depth),
                      Cell::Int(count), Cell::Int(phase.sum_ns), Cell::Int(phase.self_ns),
                      Cell::Double(share), Cell::Int(traces::Percentile(ns, 0)),
                      Cell::Int(phase.sum_ns / count), Cell::Int(traces::Percentile(ns, 50)),
                      Cell::Int(traces::Percentile(ns, 95)), Cell::Int(traces::Percentile(ns, 99)),
                      Cell::Int(traces::Percentile(ns, 100))});
    });
  }
  return rows;
}

// Sums over the table `compiles`, so that `builds` and a query over it agree.
class CompileTotals {
 public:
  // `rows` are the table's rows of one build.
  CompileTotals(const CompilesTable& compiles, std::span<const traces::Row> rows)
      : compiles_(compiles), rows_(rows) {}
  Cell Count() const { return Cell::Int(static_cast<int64_t>(rows_.size())); }
  Cell Sum(std::string_view name) const {
    int64_t sum = 0;
    ForEach(name, [&](const Cell& cell) {
      if (cell.type == CellType::kInt) sum = traces::AddUp(sum, cell.integer);
    });
    return Cell::Int(sum);
  }
  Cell SumReal(std::string_view name) const {
    double sum = 0;
    ForEach(name, [&](const Cell& cell) {
      if (cell.type == CellType::kDouble) sum += cell.real;
    });
    return Cell::Double(sum);
  }
  Cell CountEqual(std::string_view name, int64_t value) const {
    int64_t count = 0;
    ForEach(name, [&](const Cell& cell) {
      if (cell.type == CellType::kInt && cell.integer == value) ++count;
    });
    return Cell::Int(count);
  }
  Cell CountFailed() const {
    int64_t count = 0;
    ForEach("status", [&](const Cell& cell) {
      if (cell.type == CellType::kInt && cell.integer != 0) ++count;
    });
    return Cell::Int(count);
  }
  Cell CountDistinct(std::string_view name) const {
    std::set<std::string> texts;
    ForEach(name, [&](const Cell& cell) {
      if (cell.is_text()) texts.emplace(cell.text());
    });
    return Cell::Int(static_cast<int64_t>(texts.size()));
  }

 private:
  int ColumnOf(std::string_view name) const {
    const auto& columns = compiles_.columns();
    const auto it = std::find_if(columns.begin(), columns.end(),
                                 [&](const SqlColumn& column) { return column.name == name; });
    CHECK(it != columns.end());
    return static_cast<int>(it - columns.begin());
  }
  template <typename F>
  void ForEach(std::string_view name, F&& f) const {
    const int column = ColumnOf(name);
    std::string scratch;
    for (const traces::Row row : rows_) f(compiles_.At(row, column, scratch));
  }

  const CompilesTable& compiles_;
  const std::span<const traces::Row> rows_;
};

// Rows of the table `compiles` by build.
std::vector<std::vector<traces::Row>> CompilesByBuild(const traces::Columns& columns,
                                                      const CompilesTable& compiles) {
  std::vector<std::vector<traces::Row>> by_build(columns.builds().size());
  for (traces::Row row = 0; row < compiles.rows(); ++row) {
    by_build[columns.build()[compiles.SpanOf(row)]].push_back(row);
  }
  return by_build;
}

// From the first start to the last end, and the `build` span if there is one.
struct BuildSpan {
  std::optional<traces::Row> root;
  int64_t start_ns = INT64_MAX;
  int64_t end_ns = INT64_MIN;
  int64_t spans = 0;
  int64_t traces = 0;
};

std::vector<BuildSpan> MeasureBuilds(const traces::Columns& columns) {
  std::vector<BuildSpan> builds(columns.builds().size());
  std::vector<char> seen(columns.traces().size(), 0);
  for (traces::Row row = 0; row < columns.size(); ++row) {
    BuildSpan& build = builds[columns.build()[row]];
    ++build.spans;
    build.traces += seen[columns.trace()[row]] == 0 ? 1 : 0;
    seen[columns.trace()[row]] = 1;
    build.start_ns = std::min(build.start_ns, columns.start_ns()[row]);
    build.end_ns = std::max(build.end_ns, columns.end_ns(row));
  }
  for (const traces::Row row : columns.rows_named(trace::span::kBuild)) {
    BuildSpan& build = builds[columns.build()[row]];
    build.root = row;
    build.start_ns = columns.start_ns()[row];
    build.end_ns = columns.end_ns(row);
  }
  return builds;
}

Cell FieldOf(const traces::Columns& columns, const BuildSpan& build, std::string_view name) {
  return build.root ? FieldCell(columns, columns.field(name), *build.root) : Cell::Null();
}

// Of several with one id the first.
std::map<std::string_view, const builds::BuildRecord*> ById(
    const std::vector<builds::BuildRecord>& records) {
  std::map<std::string_view, const builds::BuildRecord*> by_id;
  for (const builds::BuildRecord& record : records) by_id.emplace(record.id, &record);
  return by_id;
}

OwnedCell TagsOf(const traces::Columns& columns, const BuildSpan& build,
                 const builds::BuildRecord* record) {
  constexpr std::string_view kPrefix = trace::field::kTagsPrefix;
  JsonWriter json;
  json.BeginObject();
  if (build.root) {
    for (const traces::FieldId id : columns.fields_of(*build.root)) {
      const std::string_view name = columns.field_name(id);
      const auto text = columns.field(id).StringAt(*build.root);
      if (!name.starts_with(kPrefix) || !text) continue;
      json.Key(name.substr(kPrefix.size())).String(columns.text(*text));
    }
  } else if (record != nullptr) {
    for (const auto& [key, value] : record->tags) json.Key(key).String(value);
  }
  const std::string text = json.EndObject().Take();
  return Cell::Text(text, 0, CellType::kJson);
}

MadeTable::Rows MakeBuilds(const traces::Columns& columns, const CompilesTable& compiles,
                           const std::vector<std::string>& build_names,
                           const std::vector<builds::BuildRecord>& records) {
  MadeTable::Rows rows;
  const std::vector<BuildSpan> builds = MeasureBuilds(columns);
  const std::vector<std::vector<traces::Row>> compile_rows = CompilesByBuild(columns, compiles);
  const std::map<std::string_view, const builds::BuildRecord*> records_by_id = ById(records);
  for (size_t i = 0; i < builds.size(); ++i) {
    const BuildSpan& build = builds[i];
    const std::string_view id = columns.text(columns.builds()[i].id);
    const auto known = records_by_id.find(id);
    const builds::BuildRecord* record = known == records_by_id.end() ? nullptr : known->second;
    // What the build's own span would have said, had it ended.
    OwnedCell command = FieldOf(columns, build, trace::field::kCommand);
    OwnedCell cwd = FieldOf(columns, build, trace::field::kCwd);
    Cell status = FieldOf(columns, build, trace::field::kStatus);
    Cell cpus = FieldOf(columns, build, trace::field::kCpus);
    OwnedCell version = FieldOf(columns, build, trace::field::kVersion);
    if (!build.root && record != nullptr) {
      command = Cell::Text(builds::ShellCommand(record->command));
      cwd = Cell::Text(record->cwd);
      if (record->status) status = Cell::Int(*record->status);
      cpus = Cell::Int(record->cpus);
      version = Cell::Text(record->version);
    }
    int64_t wall_ns = 0;
    if (build.spans > 0 && __builtin_sub_overflow(build.end_ns, build.start_ns, &wall_ns)) {
      wall_ns = INT64_MAX;
    }
    const CompileTotals totals(compiles, compile_rows[i]);
    rows.push_back({Cell::Text(id),
                    Cell::Text(build_names[i]),
                    TagsOf(columns, build, record),
                    command,
                    cwd,
                    status,
                    Cell::Int(build.root ? 1 : 0),
                    Cell::Text(trace::FormatTime(build.start_ns)),
                    Cell::Int(build.start_ns),
                    Cell::Int(wall_ns),
                    cpus,
                    version,
                    Cell::Int(build.spans),
                    Cell::Int(build.traces),
                    totals.Count(),
                    totals.CountEqual("remote", 1),
                    totals.CountEqual("remote", 0),
                    totals.CountFailed(),
                    totals.Sum("invocations"),
                    totals.Sum("cold_start"),
                    totals.CountDistinct("worker_id"),
                    totals.Sum("bytes_up"),
                    totals.Sum("bytes_down"),
                    totals.Sum("store_puts"),
                    totals.Sum("store_gets"),
                    totals.SumReal("cost_usd")});
  }
  return rows;
}

std::vector<SqlColumn> WithValues(std::vector<SqlColumn> columns, uint64_t rows) {
  for (SqlColumn& column : columns) column.values = rows;
  return columns;
}

}  // namespace

std::unique_ptr<SqlTable> PhasesTable(const traces::Columns& columns,
                                      const std::vector<std::string>& build_names) {
  return std::make_unique<MadeTable>(WithValues({{"build", Affinity::kText},
                                                 {"build_name", Affinity::kText},
                                                 {"name", Affinity::kText},
                                                 {"depth", Affinity::kInteger},
                                                 {"count", Affinity::kInteger},
                                                 {"sum_ns", Affinity::kInteger},
                                                 {"self_ns", Affinity::kInteger},
                                                 {"share", kNumeric},
                                                 {"min_ns", Affinity::kInteger},
                                                 {"mean_ns", Affinity::kInteger},
                                                 {"p50_ns", Affinity::kInteger},
                                                 {"p95_ns", Affinity::kInteger},
                                                 {"p99_ns", Affinity::kInteger},
                                                 {"max_ns", Affinity::kInteger}},
                                                16 * build_names.size()),
                                     [&] { return MakePhases(columns, build_names); });
}

std::unique_ptr<SqlTable> BuildsTable(const traces::Columns& columns, const CompilesTable& compiles,
                                      const std::vector<std::string>& build_names,
                                      const std::vector<builds::BuildRecord>& records) {
  return std::make_unique<MadeTable>(
      WithValues({{"build", Affinity::kText},
                  {"build_name", Affinity::kText},
                  {"tags", Affinity::kText},
                  {"command", kAnything},
                  {"cwd", kAnything},
                  {"status", kAnything},
                  {"finished", Affinity::kInteger},
                  {"start", Affinity::kText},
                  {"start_ns", Affinity::kInteger},
                  {"wall_ns", Affinity::kInteger},
                  {"cpus", kAnything},
                  {"version", kAnything},
                  {"spans", Affinity::kInteger},
                  {"traces", Affinity::kInteger},
                  {"compiles", Affinity::kInteger},
                  {"remote", Affinity::kInteger},
                  {"local", Affinity::kInteger},
                  {"failed", Affinity::kInteger},
                  {"invocations", Affinity::kInteger},
                  {"cold_starts", Affinity::kInteger},
                  {"workers", Affinity::kInteger},
                  {"bytes_up", Affinity::kInteger},
                  {"bytes_down", Affinity::kInteger},
                  {"store_puts", Affinity::kInteger},
                  {"store_gets", Affinity::kInteger},
                  {"cost_usd", kNumeric}},
                 build_names.size()),
      [&] { return MakeBuilds(columns, compiles, build_names, records); });
}

}  // namespace llama::sql
