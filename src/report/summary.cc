#include "report/summary.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

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

int64_t NearestRank(const std::vector<int64_t>& sorted, uint64_t percent) {
  const uint64_t rank = (sorted.size() * percent + 99) / 100;
  return sorted[std::max<uint64_t>(rank, 1) - 1];
}

PhaseStats StatsOf(std::string name, int depth, std::vector<int64_t>& durations) {
  std::sort(durations.begin(), durations.end());
  PhaseStats stats;
  stats.name = std::move(name);
  stats.depth = depth;
  stats.count = durations.size();
  for (const int64_t ns : durations) stats.sum_ns = Add(stats.sum_ns, ns);
  stats.p50_ns = NearestRank(durations, 50);
  stats.p95_ns = NearestRank(durations, 95);
  stats.max_ns = durations.back();
  return stats;
}

void CountPhases(const TraceModel& trace, Summary& out) {
  std::vector<std::vector<int64_t>> durations(trace.names.size());
  for (const SpanRow& span : trace.spans) durations[span.name].push_back(span.duration_ns);
  std::map<std::string, size_t> left;  // names that no known phase has, by name
  for (size_t i = 0; i < trace.names.size(); ++i) {
    if (trace.names[i] != "build") left.emplace(trace.names[i], i);
  }
  for (const KnownPhase& phase : kPhases) {
    const auto it = left.find(phase.name);
    if (it == left.end()) continue;
    out.phases.push_back(StatsOf(phase.name, phase.depth, durations[it->second]));
    left.erase(it);
  }
  for (const auto& [name, i] : left) out.phases.push_back(StatsOf(name, 1, durations[i]));
}

std::vector<ReasonCount> MostFrequentFirst(const std::map<std::string, uint64_t>& counts) {
  std::vector<ReasonCount> out;
  for (const auto& [reason, count] : counts) out.push_back({reason, count});
  std::stable_sort(out.begin(), out.end(),
                   [](const auto& a, const auto& b) { return a.count > b.count; });
  return out;
}

void CountCompiles(const TraceModel& trace, Summary& out) {
  std::map<std::string, uint64_t> reasons;
  std::map<std::string, uint64_t> rungs;
  for (const CompileRow& compile : trace.compiles) {
    ++out.compiles;
    ++(compile.remote ? out.remote : out.local);
    if (compile.status.value_or(0) != 0) ++out.failed;
    if (!compile.remote) ++reasons[compile.reason.empty() ? "unknown" : compile.reason];
    if (!compile.rung.empty()) ++rungs[compile.rung];
  }
  out.reasons = MostFrequentFirst(reasons);
  out.rungs = MostFrequentFirst(rungs);
}

void CountInvocations(const TraceModel& trace, Summary& out) {
  double compute_usd = 0;
  for (const InvokeRow& invoke : trace.invokes) {
    ++out.invocations;
    out.cold_starts += invoke.cold_start ? 1 : 0;
    out.failed_invocations += invoke.failed ? 1 : 0;
    out.retries += invoke.attempt > 1 ? 1 : 0;
    out.bytes_up = Add(out.bytes_up, invoke.payload_bytes);
    out.bytes_down = Add(out.bytes_down, Add(invoke.answer_bytes, invoke.fetched_bytes));
    out.store_gets = Add(out.store_gets, invoke.fetched_objects);
    // An invocation that failed says nothing of its bill; its whole time is the upper bound.
    const int64_t ran_ns = trace.spans[invoke.span].duration_ns - invoke.queued_ns;
    const int64_t ran_ms = std::max<int64_t>(0, ran_ns) / 1'000'000;
    const int64_t billed_ms = invoke.billed_ms.value_or(ran_ms);
    const int64_t memory_mb = invoke.memory_mb.value_or(kDefaultMemoryMb);
    out.cost.gb_seconds +=
        static_cast<double>(billed_ms) / 1000.0 * static_cast<double>(memory_mb) / 1024.0;
    compute_usd += trace::LambdaCostUsd(billed_ms, memory_mb) - trace::kLambdaUsdPerRequest;
  }
  for (const SyncRow& sync : trace.syncs) {
    out.bytes_up = Add(out.bytes_up, sync.uploaded_bytes);
    out.store_puts = Add(out.store_puts, sync.store_requests);
  }
  out.cost.compute_usd = compute_usd;
  out.cost.invocations_usd = static_cast<double>(out.invocations) * trace::kLambdaUsdPerRequest;
  out.cost.store_usd = trace::StoreCostUsd(static_cast<uint64_t>(out.store_puts),
                                           static_cast<uint64_t>(out.store_gets));
}

void MeasureConcurrency(const TraceModel& trace, Summary& out) {
  std::vector<std::pair<int64_t, int>> edges;
  double busy_ns = 0;
  for (const InvokeRow& invoke : trace.invokes) {
    const SpanRow& span = trace.spans[invoke.span];
    const int64_t queued_ns = std::min(invoke.queued_ns, span.duration_ns);
    edges.emplace_back(span.start_ns + queued_ns, 1);
    edges.emplace_back(span.end_ns(), -1);
    busy_ns += static_cast<double>(span.duration_ns - queued_ns);
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

void MeasureBuild(const TraceModel& trace, Summary& out) {
  if (trace.build) {
    const SpanRow& span = trace.spans[trace.build->span];
    out.finished = true;
    out.build_id = trace.build->id;
    out.name = trace.build->name;
    out.command = trace.build->command;
    out.status = trace.build->status;
    out.start_ns = span.start_ns;
    out.wall_ns = span.duration_ns;
    return;
  }
  if (trace.spans.empty()) return;
  int64_t end_ns = trace.spans.front().end_ns();
  out.start_ns = trace.spans.front().start_ns;
  for (const SpanRow& span : trace.spans) {
    out.start_ns = std::min(out.start_ns, span.start_ns);
    end_ns = std::max(end_ns, span.end_ns());
  }
  if (__builtin_sub_overflow(end_ns, out.start_ns, &out.wall_ns)) out.wall_ns = INT64_MAX;
}

// The longest span without children in each of the slowest compiles' traces.
void FindLongestPhases(const TraceModel& trace, const std::map<trace::TraceId, size_t>& slow,
                       std::vector<SlowCompile>& out) {
  std::set<std::pair<size_t, trace::SpanId>> parents;
  std::vector<std::pair<size_t, const SpanRow*>> members;
  for (const SpanRow& span : trace.spans) {
    const auto it = slow.find(span.trace_id);
    if (it == slow.end()) continue;
    members.emplace_back(it->second, &span);
    parents.emplace(it->second, span.parent_id);
  }
  for (const auto& [index, span] : members) {
    SlowCompile& compile = out[index];
    if (parents.contains({index, span->span_id})) continue;
    if (span->duration_ns <= compile.longest_phase_ns) continue;
    compile.longest_phase = trace.names[span->name];
    compile.longest_phase_ns = span->duration_ns;
  }
}

void FindSlowest(const TraceModel& trace, Summary& out) {
  std::vector<const CompileRow*> order;
  order.reserve(trace.compiles.size());
  for (const CompileRow& compile : trace.compiles) order.push_back(&compile);
  const auto count = std::min(order.size(), kSlowest);
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                    [&](const CompileRow* a, const CompileRow* b) {
                      const SpanRow& x = trace.spans[a->span];
                      const SpanRow& y = trace.spans[b->span];
                      return std::tie(y.duration_ns, x.start_ns, a->source) <
                             std::tie(x.duration_ns, y.start_ns, b->source);
                    });
  std::map<trace::TraceId, size_t> slow;
  for (size_t i = 0; i < count; ++i) {
    const CompileRow& compile = *order[i];
    const SpanRow& span = trace.spans[compile.span];
    slow.emplace(span.trace_id, i);
    SlowCompile row;
    row.trace_id = trace::Hex(span.trace_id);
    row.source = !compile.source.empty()   ? compile.source
                 : !compile.object.empty() ? compile.object
                                           : compile.reason;
    row.remote = compile.remote;
    row.duration_ns = span.duration_ns;
    out.slowest.push_back(std::move(row));
  }
  FindLongestPhases(trace, slow, out.slowest);
}

}  // namespace

Summary Summarise(const TraceModel& trace) {
  Summary out;
  MeasureBuild(trace, out);
  CountCompiles(trace, out);
  CountPhases(trace, out);
  FindSlowest(trace, out);
  CountInvocations(trace, out);
  MeasureConcurrency(trace, out);
  out.spans = trace.spans.size();
  out.malformed_lines = trace.malformed_lines;
  out.truncated = trace.truncated;
  return out;
}

}  // namespace llama::report
