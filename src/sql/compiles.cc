#include "sql/compiles.h"

#include <algorithm>
#include <array>

#include "analysis/units/remote_runs.h"
#include "base/log.h"
#include "trace/names.h"
#include "trace/pricing.h"

namespace llama::sql {
namespace {

constexpr int64_t kNone = INT64_MIN;
// One vCPU of Lambda's: assumed where an invocation does not say.
constexpr int64_t kDefaultMemoryMb = 1769;

enum class From : uint8_t {
  kSpan,      // column `field` of the root in `spans`
  kField,     // field of the root
  kNamed,     // likewise, or else text: the field called `span` of the first span that has it
  kRemote,    // likewise, or else 1 if a function did it (analysis/units/remote_runs.h)
  kDuration,  // of the spans called `span`, together
  kSum,       // of the integer field of the spans called `span`, and of the second pair
  kMost,      // likewise, the greatest
  kAny,       // 1 if one of them has it true
  kCount,     // of spans called `span`
  kLast,      // text: of the last span called `span` that has it
  kFirst,     // text: of the first span, of any name
  kTransit,   // of the invocations, what is neither waiting, nor failing, starting, nor the worker
  kCost,
};

struct Source {
  std::string_view name;
  Affinity affinity;
  From from;
  std::string_view span = {};
  std::string_view field = {};
  std::string_view second_span = {};
  std::string_view second_field = {};
};

// If the root has the field, that counts.
bool IsOfRoot(From from) {
  return from == From::kField || from == From::kNamed || from == From::kRemote;
}

constexpr Affinity kText = Affinity::kText;
constexpr Affinity kInteger = Affinity::kInteger;

constexpr std::array<Source, 54> kSources = {{
    {"build", kText, From::kSpan, "", "build"},
    {"build_name", kText, From::kSpan, "", "build_name"},
    {"file", kText, From::kNamed, "file", trace::field::kSource},
    {"output", kText, From::kNamed, "output", trace::field::kObject},
    {"duration_ns", kInteger, From::kSpan, "", "duration_ns"},
    {"remote", kInteger, From::kRemote, "", trace::field::kRemote},
    {"reason", kText, From::kField, "", trace::field::kReason},
    {"reason_detail", kText, From::kField, "", trace::field::kReasonDetail},
    {"rung", kText, From::kField, "", trace::field::kRung},
    {"status", kInteger, From::kField, "", trace::field::kStatus},
    {"error", kText, From::kFirst, "", trace::field::kError},
    {"command", kText, From::kField, "", trace::field::kCommand},
    {"compiler", kText, From::kField, "", trace::field::kCompiler},
    {"start", kText, From::kSpan, "", "start"},
    {"start_ns", kInteger, From::kSpan, "", "start_ns"},
    {"end_ns", kInteger, From::kSpan, "", "end_ns"},
    {"second", kInteger, From::kSpan, "", "second"},
    {"send_ns", kInteger, From::kDuration, trace::span::kSend},
    {"parse_ns", kInteger, From::kDuration, trace::span::kParse},
    {"scan_ns", kInteger, From::kDuration, trace::span::kScan},
    {"sync_ns", kInteger, From::kDuration, trace::span::kSync},
    {"invoke_ns", kInteger, From::kDuration, trace::span::kInvoke},
    {"queued_ns", kInteger, From::kSum, trace::span::kInvoke, trace::field::kQueuedNs},
    {"init_ns", kInteger, From::kSum, trace::span::kInvoke, trace::field::kInitNs},
    {"transit_ns", kInteger, From::kTransit},
    {"worker_ns", kInteger, From::kDuration, trace::span::kWorker},
    {"receive_ns", kInteger, From::kDuration, trace::span::kReceive},
    {"materialise_ns", kInteger, From::kDuration, trace::span::kMaterialise},
    {"exec_ns", kInteger, From::kDuration, trace::span::kExec},
    {"collect_ns", kInteger, From::kDuration, trace::span::kCollect},
    {"verify_ns", kInteger, From::kDuration, trace::span::kVerify},
    {"write_ns", kInteger, From::kDuration, trace::span::kWrite},
    {"reply_ns", kInteger, From::kDuration, trace::span::kReply},
    {"queue_ns", kInteger, From::kDuration, trace::span::kQueue},
    {"local_ns", kInteger, From::kDuration, trace::span::kLocal},
    {"invocations", kInteger, From::kCount, trace::span::kInvoke},
    {"cold_start", kInteger, From::kAny, trace::span::kInvoke, trace::field::kColdStart},
    {"worker_id", kText, From::kLast, trace::span::kInvoke, trace::field::kWorkerId},
    {"worker_jobs", kInteger, From::kMost, trace::span::kInvoke, trace::field::kWorkerJobs},
    {"files", kInteger, From::kSum, trace::span::kScan, trace::field::kFiles},
    {"bytes_up", kInteger, From::kSum, trace::span::kInvoke, trace::field::kPayloadBytes,
     trace::span::kSync, trace::field::kUploadedBytes},
    {"bytes_down", kInteger, From::kSum, trace::span::kInvoke, trace::field::kAnswerBytes,
     trace::span::kInvoke, trace::field::kFetchedBytes},
    {"output_bytes", kInteger, From::kSum, trace::span::kWrite, trace::field::kOutputBytes},
    {"store_puts", kInteger, From::kSum, trace::span::kSync, trace::field::kStoreRequests},
    {"store_gets", kInteger, From::kSum, trace::span::kInvoke, trace::field::kFetchedObjects},
    {"billed_ms", kInteger, From::kSum, trace::span::kInvoke, trace::field::kBilledMs},
    {"memory_mb", kInteger, From::kMost, trace::span::kInvoke, trace::field::kMemoryMb},
    {"cost_usd", Affinity::kNumeric, From::kCost},
    {"user_ns", kInteger, From::kSum, trace::span::kInvoke, trace::field::kUserNs},
    {"system_ns", kInteger, From::kSum, trace::span::kInvoke, trace::field::kSystemNs},
    {"max_rss_bytes", kInteger, From::kMost, trace::span::kInvoke, trace::field::kMaxRssBytes},
    {"client_user_ns", kInteger, From::kField, "", trace::field::kLocalUserNs},
    {"trace_id", kText, From::kSpan, "", "trace_id"},
    {"id", kInteger, From::kSpan, "", "id"},
}};

// What the original calls spans that are like ours (its fields `file` and `output` are ours of the
// root, `source` and `object`).
struct OriginalSpan {
  std::string_view ours;
  std::string_view name;
  std::string_view below = {};  // only there, if it is not empty
};
constexpr std::array<OriginalSpan, 7> kOriginalSpans = {{
    {trace::span::kScan, "detect_dependencies"},
    {trace::span::kScan, "preprocess"},
    {trace::span::kSync, "upload", "InvokeWithFiles"},
    {trace::span::kInvoke, "llama.Invoke"},
    {trace::span::kInvoke, "Invoke"},
    {trace::span::kWorker, "runtime.Execute"},
    {trace::span::kCollect, "upload", "runtime.Execute"},
}};

// A hostile trace may name any number; a sum stops at the largest.
int64_t Add(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum == kNone ? kNone + 1 : sum;
  return a < 0 ? kNone + 1 : INT64_MAX;
}

}  // namespace

CompilesTable::CompilesTable(const traces::Columns& columns, const SpansTable& spans,
                             std::string_view root)
    : data_(columns), spans_(spans) {
  const auto roots = columns.rows_named(root);
  roots_.assign(roots.begin(), roots.end());
  for (const Source& source : kSources) {
    // What is documented as a number may be text in a foreign trace.
    Affinity affinity = source.affinity;
    int span_column = kRowIdColumn;
    if (IsOfRoot(source.from)) {
      const auto field = columns.FindField(source.field);
      if (field) affinity = AffinityOf(columns.field_kinds(*field));
    } else if (source.from == From::kSpan) {
      span_column = spans.FixedColumn(source.field);
    }
    sql_columns_.push_back({std::string(source.name), affinity, roots_.size(), 0});
    span_columns_.push_back(span_column);
  }
  sql_columns_[0].distinct = sql_columns_[1].distinct = columns.builds().size();
  made_.resize(kSources.size());
  fields_.resize(kSources.size(), nullptr);
}

// A span belongs to the nearest root above it, or to itself if it is one.
void CompilesTable::FindMembers() const {
  if (!compile_of_.empty()) return;
  compile_of_.assign(data_.size(), traces::kNoRow);
  for (traces::Row i = 0; i < roots_.size(); ++i) compile_of_[roots_[i]] = i;
  std::vector<traces::Row> open;
  for (const traces::Row root : roots_) {
    open.push_back(root);
    while (!open.empty()) {
      const traces::Row parent = open.back();
      open.pop_back();
      for (const traces::Row child : data_.children(parent)) {
        if (compile_of_[child] != traces::kNoRow) continue;
        compile_of_[child] = compile_of_[parent];
        open.push_back(child);
      }
    }
  }
}

template <typename F>
void CompilesTable::ForEachMember(std::string_view span, F&& f) const {
  FindMembers();
  for (const traces::Row row : data_.rows_named(span)) {
    if (compile_of_[row] != traces::kNoRow) f(compile_of_[row], row);
  }
  for (const OriginalSpan& original : kOriginalSpans) {
    if (original.ours != span) continue;
    for (const traces::Row row : data_.rows_named(original.name)) {
      if (compile_of_[row] == traces::kNoRow || !IsBelow(row, original.below)) continue;
      f(compile_of_[row], row);
    }
  }
}

bool CompilesTable::IsBelow(traces::Row row, std::string_view name) const {
  const traces::Row parent = data_.parent()[row];
  return name.empty() || (parent != traces::kNoRow && data_.text(data_.name()[parent]) == name);
}

void CompilesTable::AddDurations(std::string_view span, Numbers& out) const {
  ForEachMember(span, [&](traces::Row compile, traces::Row row) {
    const int64_t so_far = out[compile] == kNone ? 0 : out[compile];
    out[compile] = Add(so_far, data_.duration_ns()[row]);
  });
}

template <typename F>
void CompilesTable::Fold(std::string_view span, std::string_view field, Numbers& out,
                         F&& combine) const {
  const traces::FieldColumn& values = data_.field(field);
  ForEachMember(span, [&](traces::Row compile, traces::Row row) {
    const auto value = values.IntAt(row);
    if (value) out[compile] = out[compile] == kNone ? *value : combine(out[compile], *value);
  });
}

void CompilesTable::TakeFirst(const traces::FieldColumn& field, Numbers& out) const {
  FindMembers();
  field.ForEach([&](traces::Row row, const traces::Value& value) {
    const traces::Row compile = compile_of_[row];
    if (compile == traces::kNoRow || out[compile] != kNone || value.kind != traces::Kind::kString)
      return;
    out[compile] = value.as_string();
  });
}

CompilesTable::Numbers CompilesTable::Transit() const {
  Numbers out(roots_.size(), kNone);
  Numbers rest(roots_.size(), 0);
  AddDurations(trace::span::kInvoke, out);
  Fold(trace::span::kInvoke, trace::field::kQueuedNs, rest, Add);
  Fold(trace::span::kInvoke, trace::field::kRetriedNs, rest, Add);
  Fold(trace::span::kInvoke, trace::field::kInitNs, rest, Add);
  std::vector<char> ran(roots_.size(), 0);
  ForEachMember(trace::span::kWorker, [&](traces::Row compile, traces::Row row) {
    ran[compile] = 1;
    rest[compile] = Add(rest[compile], data_.duration_ns()[row]);
  });
  for (size_t i = 0; i < out.size(); ++i) {
    if (ran[i] == 0 || out[i] == kNone || __builtin_sub_overflow(out[i], rest[i], &out[i])) {
      out[i] = kNone;
    }
  }
  return out;
}

CompilesTable::Numbers CompilesTable::Make(size_t column) const {
  const Source& source = kSources[column];
  if (source.from == From::kTransit) return Transit();
  Numbers out(roots_.size(), kNone);
  const traces::FieldColumn& field = data_.field(source.field);
  switch (source.from) {
    case From::kDuration:
      AddDurations(source.span, out);
      break;
    case From::kSum:
      Fold(source.span, source.field, out, Add);
      if (!source.second_span.empty()) Fold(source.second_span, source.second_field, out, Add);
      break;
    case From::kMost:
      Fold(source.span, source.field, out, [](int64_t a, int64_t b) { return std::max(a, b); });
      break;
    case From::kAny:
      ForEachMember(source.span, [&](traces::Row compile, traces::Row row) {
        const int64_t has = field.TrueAt(row) ? 1 : 0;
        out[compile] = std::max(out[compile], has);
      });
      break;
    case From::kCount:
      std::fill(out.begin(), out.end(), 0);
      ForEachMember(source.span, [&](traces::Row compile, traces::Row) { ++out[compile]; });
      break;
    case From::kLast:
      ForEachMember(source.span, [&](traces::Row compile, traces::Row row) {
        const auto text = field.StringAt(row);
        if (text) out[compile] = *text;
      });
      break;
    case From::kFirst:
      TakeFirst(field, out);
      break;
    case From::kNamed:
      TakeFirst(data_.field(source.span), out);
      break;
    case From::kRemote: {
      const analysis::RemoteRuns remote(data_);
      for (size_t i = 0; i < roots_.size(); ++i) {
        if (const auto is_remote = remote.Known(roots_[i])) out[i] = *is_remote ? 1 : 0;
      }
      break;
    }
    default:
      CHECK(false);
  }
  return out;
}

const CompilesTable::Numbers& CompilesTable::Made(size_t column) const {
  if (made_[column].empty()) made_[column] = Make(column);
  return made_[column];
}

// As the summary has it: what Lambda bills, or for an invocation that does not say, all its time;
// and the store's requests.
const std::vector<double>& CompilesTable::Costs() const {
  if (!costs_.empty()) return costs_;
  costs_.assign(roots_.size(), 0);
  const traces::FieldColumn& billed = data_.field(trace::field::kBilledMs);
  const traces::FieldColumn& memory = data_.field(trace::field::kMemoryMb);
  const traces::FieldColumn& queued = data_.field(trace::field::kQueuedNs);
  ForEachMember(trace::span::kInvoke, [&](traces::Row compile, traces::Row row) {
    const int64_t ran_ns =
        data_.duration_ns()[row] - std::max<int64_t>(0, queued.IntAt(row).value_or(0));
    const int64_t billed_ms = billed.IntAt(row).value_or(std::max<int64_t>(0, ran_ns) / 1'000'000);
    costs_[compile] +=
        trace::LambdaCostUsd(billed_ms, memory.IntAt(row).value_or(kDefaultMemoryMb));
  });
  Numbers puts(roots_.size(), 0);
  Numbers gets(roots_.size(), 0);
  Fold(trace::span::kSync, trace::field::kStoreRequests, puts, Add);
  Fold(trace::span::kInvoke, trace::field::kFetchedObjects, gets, Add);
  for (size_t i = 0; i < costs_.size(); ++i) {
    costs_[i] += trace::StoreCostUsd(static_cast<uint64_t>(std::max<int64_t>(puts[i], 0)),
                                     static_cast<uint64_t>(std::max<int64_t>(gets[i], 0)));
  }
  return costs_;
}

Cell CompilesTable::At(traces::Row row, int number, std::string& scratch) const {
  const auto column = static_cast<size_t>(number);
  const Source& source = kSources[column];
  if (source.from == From::kSpan) return spans_.At(roots_[row], span_columns_[column], scratch);
  if (IsOfRoot(source.from)) {
    const traces::FieldColumn*& field = fields_[column];
    if (field == nullptr) field = &data_.field(source.field);
    if (source.from == From::kField || field->Has(roots_[row])) {
      return FieldCell(data_, *field, roots_[row]);
    }
  }
  if (source.from == From::kCost) return Cell::Double(Costs()[row]);
  const int64_t value = Made(column)[row];
  if (value == kNone) return Cell::Null();
  if (source.affinity != Affinity::kText) return Cell::Int(value);
  const auto id = static_cast<traces::StringId>(value);
  return Cell::Text(data_.text(id), id + 1);
}

std::optional<RowSet> CompilesTable::Find(int column, const Cell& value) const {
  const auto number = static_cast<size_t>(column);
  // A build's or a trace's spans are few beside all, and the compiles among them are found by row.
  const bool known =
      kSources[number].from == From::kSpan &&
      (column <= 1 || sql_columns_[number].name == "trace_id" || sql_columns_[number].name == "id");
  if (!known) return std::nullopt;
  const auto spans = spans_.Find(span_columns_[number], value);
  if (!spans) return std::nullopt;
  if (spans->size() == 0) return RowSet::Range(0, 0);
  if (column <= 1) {
    const auto begin = std::lower_bound(roots_.begin(), roots_.end(), (*spans)[0]);
    const auto end = std::upper_bound(begin, roots_.end(), (*spans)[spans->size() - 1]);
    return RowSet::Range(static_cast<traces::Row>(begin - roots_.begin()),
                         static_cast<traces::Row>(end - roots_.begin()));
  }
  std::vector<traces::Row> found;
  for (size_t i = 0; i < spans->size(); ++i) {
    const auto at = std::lower_bound(roots_.begin(), roots_.end(), (*spans)[i]);
    if (at != roots_.end() && *at == (*spans)[i])
      found.push_back(static_cast<traces::Row>(at - roots_.begin()));
  }
  return RowSet::Own(std::move(found));
}

}  // namespace llama::sql
