#include "report/summary.h"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>
#include <utility>

#include "report/percentile.h"
#include "trace/pricing.h"

namespace llama::report {
namespace {

constexpr size_t kSlowest = 10;
// One vCPU of Lambda's: assumed where an invocation does not say.
constexpr int64_t kDefaultMemoryMb = 1769;

struct KnownPhase {
  const char* name;
  int depth;
};

constexpr std::array<KnownPhase, 16> kPhases = {{
    {"llamacc", 0},
    {"send", 1},
    {"parse", 1},
    {"scan", 1},
    {"sync", 1},
    {"invoke", 1},
    {"worker", 2},
    {"receive", 3},
    {"materialise", 3},
    {"exec", 3},
    {"collect", 3},
    {"verify", 1},
    {"write", 1},
    {"reply", 1},
    {"queue", 1},
    {"local", 1},
}};

// A hostile trace may name any number; a sum stops at the largest.
int64_t Add(int64_t a, int64_t b) {
  int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

// A field's value that is an integer ≥ 0, or a number that others write for one; else absent.
std::optional<int64_t> CountAt(const FieldColumn& column, Row row) {
  const auto value = column.At(row);
  if (!value) return std::nullopt;
  if (value->kind == Kind::kInt && value->as_int() >= 0) return value->as_int();
  if (value->kind != Kind::kDouble) return std::nullopt;
  const double number = value->as_double();
  if (!(number >= 0 && number < 9e15)) return std::nullopt;
  return static_cast<int64_t>(number);
}

std::string TextAt(const Columns& trace, const FieldColumn& column, Row row) {
  const auto text = column.StringAt(row);
  return text ? std::string(trace.text(*text)) : "";
}

PhaseStats StatsOf(const Columns& trace, StringId name, int depth) {
  std::vector<int64_t> durations;
  for (const Row row : trace.rows_named(name)) durations.push_back(trace.duration_ns()[row]);
  PhaseStats stats;
  stats.name = trace.text(name);
  stats.depth = depth;
  stats.count = durations.size();
  for (const int64_t ns : durations) stats.sum_ns = Add(stats.sum_ns, ns);
  stats.p50_ns = Percentile(durations, 50);
  stats.p95_ns = Percentile(durations, 95);
  stats.max_ns = *std::max_element(durations.begin(), durations.end());
  return stats;
}

void CountPhases(const Columns& trace, Summary& out) {
  std::map<std::string_view, StringId> left;  // names that no known phase has, by name
  for (const StringId name : trace.span_names()) {
    if (trace.text(name) != "build") left.emplace(trace.text(name), name);
  }
  for (const KnownPhase& phase : kPhases) {
    const auto it = left.find(phase.name);
    if (it == left.end()) continue;
    out.phases.push_back(StatsOf(trace, it->second, phase.depth));
    left.erase(it);
  }
  for (const auto& [text, name] : left) out.phases.push_back(StatsOf(trace, name, 1));
}

std::vector<ReasonCount> MostFrequentFirst(const std::map<std::string, uint64_t>& counts) {
  std::vector<ReasonCount> out;
  for (const auto& [reason, count] : counts) out.push_back({reason, count});
  std::stable_sort(out.begin(), out.end(),
                   [](const auto& a, const auto& b) { return a.count > b.count; });
  return out;
}

void CountCompiles(const Columns& trace, Summary& out) {
  const FieldColumn& remote = trace.field("remote");
  const FieldColumn& status = trace.field("status");
  const FieldColumn& reason = trace.field("reason");
  const FieldColumn& rung = trace.field("rung");
  std::map<std::string, uint64_t> reasons;
  std::map<std::string, uint64_t> rungs;
  for (const Row row : trace.rows_named("llamacc")) {
    ++out.compiles;
    ++(remote.TrueAt(row) ? out.remote : out.local);
    if (CountAt(status, row).value_or(0) != 0) ++out.failed;
    if (!remote.TrueAt(row)) {
      const std::string why = TextAt(trace, reason, row);
      ++reasons[why.empty() ? "unknown" : why];
    }
    if (const std::string how = TextAt(trace, rung, row); !how.empty()) ++rungs[how];
  }
  out.reasons = MostFrequentFirst(reasons);
  out.rungs = MostFrequentFirst(rungs);
}

void CountUploads(const Columns& trace, Summary& out) {
  const FieldColumn& requests = trace.field("store_requests");
  const FieldColumn& objects = trace.field("uploaded_objects");
  const FieldColumn& bytes = trace.field("uploaded_bytes");
  for (const Row row : trace.rows_named("sync")) {
    out.bytes_up = Add(out.bytes_up, CountAt(bytes, row).value_or(0));
    out.store_puts = Add(out.store_puts, std::max(CountAt(requests, row).value_or(0),
                                                  CountAt(objects, row).value_or(0)));
  }
}

void CountInvocations(const Columns& trace, Summary& out) {
  const FieldColumn& attempt = trace.field("attempt");
  const FieldColumn& cold_start = trace.field("cold_start");
  const FieldColumn& error = trace.field("error");
  const FieldColumn& payload = trace.field("payload_bytes");
  const FieldColumn& answer = trace.field("answer_bytes");
  const FieldColumn& fetched = trace.field("fetched_bytes");
  const FieldColumn& objects = trace.field("fetched_objects");
  for (const Row row : trace.rows_named("invoke")) {
    ++out.invocations;
    out.cold_starts += cold_start.TrueAt(row) ? 1 : 0;
    out.failed_invocations += error.Has(row) ? 1 : 0;
    out.retries += CountAt(attempt, row).value_or(1) > 1 ? 1 : 0;
    out.bytes_up = Add(out.bytes_up, CountAt(payload, row).value_or(0));
    out.bytes_down = Add(out.bytes_down,
                         Add(CountAt(answer, row).value_or(0), CountAt(fetched, row).value_or(0)));
    out.store_gets = Add(out.store_gets, CountAt(objects, row).value_or(0));
  }
}

void AddUpCost(const Columns& trace, Summary& out) {
  const FieldColumn& queued = trace.field("queued_ns");
  const FieldColumn& billed = trace.field("billed_ms");
  const FieldColumn& memory = trace.field("memory_mb");
  for (const Row row : trace.rows_named("invoke")) {
    // An invocation that failed says nothing of its bill; its whole time is the upper bound.
    const int64_t ran_ns = trace.duration_ns()[row] - CountAt(queued, row).value_or(0);
    const int64_t ran_ms = std::max<int64_t>(0, ran_ns) / 1'000'000;
    const int64_t billed_ms = CountAt(billed, row).value_or(ran_ms);
    const int64_t memory_mb = CountAt(memory, row).value_or(kDefaultMemoryMb);
    out.cost.gb_seconds +=
        static_cast<double>(billed_ms) / 1000.0 * static_cast<double>(memory_mb) / 1024.0;
    out.cost.compute_usd +=
        trace::LambdaCostUsd(billed_ms, memory_mb) - trace::kLambdaUsdPerRequest;
  }
  out.cost.invocations_usd = static_cast<double>(out.invocations) * trace::kLambdaUsdPerRequest;
  out.cost.store_usd = trace::StoreCostUsd(static_cast<uint64_t>(out.store_puts),
                                           static_cast<uint64_t>(out.store_gets));
}

void MeasureConcurrency(const Columns& trace, Summary& out) {
  const FieldColumn& queued = trace.field("queued_ns");
  std::vector<std::pair<int64_t, int>> edges;
  double busy_ns = 0;
  for (const Row row : trace.rows_named("invoke")) {
    const int64_t duration_ns = trace.duration_ns()[row];
    const int64_t queued_ns = std::min(CountAt(queued, row).value_or(0), duration_ns);
    edges.emplace_back(trace.start_ns()[row] + queued_ns, 1);
    edges.emplace_back(trace.end_ns(row), -1);
    busy_ns += static_cast<double>(duration_ns - queued_ns);
  }
  // At one instant ends come before starts: a worker that goes from one job to the next is one.
  std::sort(edges.begin(), edges.end());
  int64_t now = 0;
  int64_t most = 0;
  for (const auto& [time_ns, change] : edges) {
    now += change;
    most = std::max(most, now);
  }
  out.max_in_flight = static_cast<uint64_t>(most);
  if (out.wall_ns > 0) out.mean_in_flight = busy_ns / static_cast<double>(out.wall_ns);
}

void MeasureBuild(const Columns& trace, Summary& out) {
  if (const auto builds = trace.rows_named("build"); !builds.empty()) {
    const Row row = builds.back();  // the last, if there are several
    out.finished = true;
    out.build_id = TextAt(trace, trace.field("global.build_id"), row);
    out.name = TextAt(trace, trace.field("name"), row);
    out.command = TextAt(trace, trace.field("command"), row);
    out.status = CountAt(trace.field("status"), row);
    out.start_ns = trace.start_ns()[row];
    out.wall_ns = trace.duration_ns()[row];
    return;
  }
  if (trace.empty()) return;
  int64_t end_ns = trace.end_ns(0);
  out.start_ns = trace.start_ns()[0];
  for (Row row = 0; row < trace.size(); ++row) {
    out.start_ns = std::min(out.start_ns, trace.start_ns()[row]);
    end_ns = std::max(end_ns, trace.end_ns(row));
  }
  if (__builtin_sub_overflow(end_ns, out.start_ns, &out.wall_ns)) out.wall_ns = INT64_MAX;
}

// The longest span without children in the compile's trace.
void FindLongestPhase(const Columns& trace, Row compile, SlowCompile& out) {
  for (const Row row : trace.rows_of_trace(trace.trace()[compile])) {
    if (!trace.children(row).empty()) continue;
    if (trace.duration_ns()[row] <= out.longest_phase_ns) continue;
    out.longest_phase = trace.text(trace.name()[row]);
    out.longest_phase_ns = trace.duration_ns()[row];
  }
}

void FindSlowest(const Columns& trace, Summary& out) {
  const FieldColumn& source = trace.field("source");
  const auto compiles = trace.rows_named("llamacc");
  std::vector<Row> order(compiles.begin(), compiles.end());
  const auto slowest = std::min(order.size(), kSlowest);
  const auto key = [&](Row row) {
    return std::make_tuple(-trace.duration_ns()[row], trace.start_ns()[row],
                           TextAt(trace, source, row), row);
  };
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(slowest),
                    order.end(), [&](Row a, Row b) {
                      if (trace.duration_ns()[a] != trace.duration_ns()[b]) {
                        return trace.duration_ns()[a] > trace.duration_ns()[b];
                      }
                      return key(a) < key(b);
                    });
  order.resize(slowest);
  for (const Row row : order) {
    SlowCompile& slow = out.slowest.emplace_back();
    slow.trace_id = trace::Hex(trace.traces()[trace.trace()[row]]);
    slow.source = TextAt(trace, source, row);
    if (slow.source.empty()) slow.source = TextAt(trace, trace.field("object"), row);
    if (slow.source.empty()) slow.source = TextAt(trace, trace.field("reason"), row);
    slow.remote = trace.field("remote").TrueAt(row);
    slow.duration_ns = trace.duration_ns()[row];
    FindLongestPhase(trace, row, slow);
  }
}

}  // namespace

Summary Summarise(const Columns& trace) {
  Summary out;
  MeasureBuild(trace, out);
  CountCompiles(trace, out);
  CountPhases(trace, out);
  FindSlowest(trace, out);
  CountInvocations(trace, out);
  CountUploads(trace, out);
  AddUpCost(trace, out);
  MeasureConcurrency(trace, out);
  out.spans = trace.size();
  out.malformed_lines = trace.report().malformed;
  out.truncated = trace.report().truncated > 0;
  return out;
}

}  // namespace llama::report
