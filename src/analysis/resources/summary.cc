#include "analysis/resources/summary.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "analysis/units/overlap.h"
#include "analysis/units/phase_intervals.h"
#include "analysis/units/remote_runs.h"
#include "analysis/units/unit_names.h"
#include "trace/names.h"
#include "trace/pricing.h"
#include "traces/columns/numbers.h"

namespace llama::analysis {
namespace {

constexpr size_t kSlowest = 10;
// One vCPU of Lambda's: assumed where an invocation does not say.
constexpr int64_t kDefaultMemoryMb = 1769;

using Counts = std::map<traces::StringId, ReasonCount>;

void CountReason(Counts& counts, traces::StringId reason, int64_t duration_ns) {
  ReasonCount& count = counts[reason];
  ++count.count;
  count.sum_ns = traces::AddUp(count.sum_ns, duration_ns);
}

std::vector<ReasonCount> MostFrequentFirst(const traces::Columns& trace, const Counts& counts) {
  std::vector<ReasonCount> out;
  for (const auto& [reason, count] : counts) {
    out.push_back(count);
    out.back().reason = reason == 0 ? "unknown" : trace.text(reason);
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
    return a.count != b.count ? a.count > b.count : a.reason < b.reason;
  });
  return out;
}

void AddDifference(const traces::Columns& trace, traces::Row row, Summary& out) {
  constexpr size_t kMostNamed = 10;
  ++out.audit_differed;
  if (out.audit_differences.size() == kMostNamed) return;
  const auto text = [&](std::string_view field) {
    return trace.text(trace.field(field).StringAt(row).value_or(0));
  };
  out.audit_differences.push_back(std::string(text(trace::field::kSource)) + ": " +
                                  std::string(text(trace::field::kAuditDifference)));
}

void CountCompiles(const traces::Columns& trace, Summary& out) {
  const RemoteRuns remote(trace);
  const traces::FieldColumn& status = trace.field(trace::field::kStatus);
  const traces::FieldColumn& reason = trace.field(trace::field::kReason);
  const traces::FieldColumn& rung = trace.field(trace::field::kRung);
  const traces::FieldColumn& audited = trace.field(trace::field::kAudited);
  Counts reasons;
  Counts rungs;
  for (const traces::Row row : trace.rows_named(trace::span::kLlamacc)) {
    const int64_t duration_ns = trace.duration_ns()[row];
    ++out.compiles;
    const bool is_remote = remote.At(row);
    const traces::StringId why = is_remote ? 0 : reason.StringAt(row).value_or(0);
    const bool is_cancelled = why != 0 && trace.text(why) == kCancelled;
    ++(is_remote ? out.remote : is_cancelled ? out.cancelled : out.local);
    if (traces::CountAt(status, row).value_or(0) != 0) ++out.failed;
    // String 0 is the empty one: no reason is none.
    if (!is_remote && !is_cancelled) CountReason(reasons, why, duration_ns);
    if (const auto how = rung.StringAt(row); how && *how != 0)
      CountReason(rungs, *how, duration_ns);
    if (!audited.Has(row)) continue;
    ++out.audited;
    if (!audited.TrueAt(row)) AddDifference(trace, row, out);
  }
  const traces::FieldColumn& corrected = trace.field(trace::field::kCorrected);
  for (const traces::Row row : trace.rows_named(trace::span::kVerify)) {
    out.corrections += corrected.Has(row) ? 1 : 0;
  }
  out.commands = trace.rows_named(trace::span::kCommand).size();
  out.reasons = MostFrequentFirst(trace, reasons);
  out.rungs = MostFrequentFirst(trace, rungs);
}

void CountUploads(const traces::Columns& trace, Summary& out) {
  const traces::FieldColumn& requests = trace.field(trace::field::kStoreRequests);
  const traces::FieldColumn& objects = trace.field(trace::field::kUploadedObjects);
  const traces::FieldColumn& bytes = trace.field(trace::field::kUploadedBytes);
  for (const traces::Row row : trace.rows_named(trace::span::kSync)) {
    out.bytes_up = traces::AddUp(out.bytes_up, traces::CountAt(bytes, row).value_or(0));
    out.store_puts =
        traces::AddUp(out.store_puts, std::max(traces::CountAt(requests, row).value_or(0),
                                               traces::CountAt(objects, row).value_or(0)));
  }
}

void CountInvocations(const traces::Columns& trace, Summary& out) {
  const traces::FieldColumn& attempt = trace.field(trace::field::kAttempt);
  const traces::FieldColumn& cold_start = trace.field(trace::field::kColdStart);
  const traces::FieldColumn& error = trace.field(trace::field::kError);
  const traces::FieldColumn& payload = trace.field(trace::field::kPayloadBytes);
  const traces::FieldColumn& answer = trace.field(trace::field::kAnswerBytes);
  const traces::FieldColumn& fetched = trace.field(trace::field::kFetchedBytes);
  const traces::FieldColumn& objects = trace.field(trace::field::kFetchedObjects);
  const traces::FieldColumn& init = trace.field(trace::field::kInitNs);
  for (const traces::Row row : trace.rows_named(trace::span::kInvoke)) {
    ++out.invocations;
    out.init_ns = traces::AddUp(out.init_ns, traces::CountAt(init, row).value_or(0));
    out.cold_starts += cold_start.TrueAt(row) ? 1 : 0;
    out.failed_invocations += error.Has(row) ? 1 : 0;
    out.retries += traces::CountAt(attempt, row).value_or(1) > 1 ? 1 : 0;
    out.bytes_up = traces::AddUp(out.bytes_up, traces::CountAt(payload, row).value_or(0));
    out.bytes_down =
        traces::AddUp(out.bytes_down, traces::AddUp(traces::CountAt(answer, row).value_or(0),
                                                    traces::CountAt(fetched, row).value_or(0)));
    out.store_gets = traces::AddUp(out.store_gets, traces::CountAt(objects, row).value_or(0));
  }
}

void AddUpCost(const traces::Columns& trace, Summary& out) {
  const traces::FieldColumn& queued = trace.field(trace::field::kQueuedNs);
  const traces::FieldColumn& billed = trace.field(trace::field::kBilledMs);
  const traces::FieldColumn& memory = trace.field(trace::field::kMemoryMb);
  for (const traces::Row row : trace.rows_named(trace::span::kInvoke)) {
    // An invocation that failed says nothing of its bill; its whole time is the upper bound.
    const int64_t ran_ns = trace.duration_ns()[row] - traces::CountAt(queued, row).value_or(0);
    const int64_t ran_ms = std::max<int64_t>(0, ran_ns) / 1'000'000;
    const int64_t billed_ms = traces::CountAt(billed, row).value_or(ran_ms);
    const int64_t memory_mb = traces::CountAt(memory, row).value_or(kDefaultMemoryMb);
    out.cost.gb_seconds +=
        static_cast<double>(billed_ms) / 1000.0 * static_cast<double>(memory_mb) / 1024.0;
    out.cost.compute_usd +=
        trace::LambdaCostUsd(billed_ms, memory_mb) - trace::kLambdaUsdPerRequest;
  }
  out.cost.invocations_usd = static_cast<double>(out.invocations) * trace::kLambdaUsdPerRequest;
  out.cost.store_usd = trace::StoreCostUsd(static_cast<uint64_t>(out.store_puts),
                                           static_cast<uint64_t>(out.store_gets));
}

void MeasureConcurrency(const traces::Columns& trace, Summary& out) {
  const traces::FieldColumn& queued = trace.field(trace::field::kQueuedNs);
  const auto invocations = trace.rows_named(trace::span::kInvoke);
  if (invocations.empty()) return;
  // What runs outside of the build's span counts, too.
  int64_t begin_ns = INT64_MAX;
  int64_t end_ns = INT64_MIN;
  for (const traces::Row row : invocations) {
    begin_ns = std::min(begin_ns, trace.start_ns()[row]);
    end_ns = std::max(end_ns, trace.end_ns(row));
  }
  Overlap overlap(begin_ns, end_ns);
  overlap.Reserve(invocations.size());
  double busy_ns = 0;
  for (const traces::Row row : invocations) {
    const int64_t duration_ns = trace.duration_ns()[row];
    const int64_t queued_ns = std::min(traces::CountAt(queued, row).value_or(0), duration_ns);
    overlap.Add(trace.start_ns()[row] + queued_ns, trace.end_ns(row));
    busy_ns += static_cast<double>(duration_ns - queued_ns);
  }
  out.max_in_flight = overlap.Measure().most;
  if (out.wall_ns > 0) out.mean_in_flight = busy_ns / static_cast<double>(out.wall_ns);
}

void MeasureBuild(const traces::Columns& trace, Summary& out) {
  if (const auto builds = trace.rows_named(trace::span::kBuild); !builds.empty()) {
    const traces::Row row = builds.back();  // the last, if there are several
    out.finished = true;
    out.interrupted = trace.field(trace::field::kInterrupted).TrueAt(row);
    out.build_id = traces::TextAt(trace, trace.field(trace::field::kBuildId), row);
    out.name = traces::TextAt(trace, trace.field(trace::field::kName), row);
    out.command = traces::TextAt(trace, trace.field(trace::field::kCommand), row);
    out.status = traces::CountAt(trace.field(trace::field::kStatus), row);
    out.up_to_date = trace.field(trace::field::kUpToDate).TrueAt(row);
    out.unseen_compiler = traces::TextAt(trace, trace.field(trace::field::kUnseenCompiler), row);
    out.failure = FindFailure(trace);
    out.start_ns = trace.start_ns()[row];
    out.wall_ns = trace.duration_ns()[row];
    return;
  }
  if (trace.empty()) return;
  int64_t end_ns = trace.end_ns(0);
  out.start_ns = trace.start_ns()[0];
  for (traces::Row row = 0; row < trace.size(); ++row) {
    out.start_ns = std::min(out.start_ns, trace.start_ns()[row]);
    end_ns = std::max(end_ns, trace.end_ns(row));
  }
  if (__builtin_sub_overflow(end_ns, out.start_ns, &out.wall_ns)) out.wall_ns = INT64_MAX;
}

// The longest span without children in the compile's trace.
void FindLongestPhase(const traces::Columns& trace, traces::Row compile, SlowCompile& out) {
  for (const traces::Row row : trace.rows_of_trace(trace.trace()[compile])) {
    if (!trace.children(row).empty()) continue;
    if (trace.duration_ns()[row] <= out.longest_phase_ns) continue;
    out.longest_phase = trace.text(trace.name()[row]);
    out.longest_phase_ns = trace.duration_ns()[row];
  }
}

void FindSlowest(const traces::Columns& trace, const UnitNames& names, Summary& out) {
  std::vector<traces::Row> order;
  for (const std::string_view root : {trace::span::kLlamacc, trace::span::kCommand}) {
    const auto rows = trace.rows_named(root);
    order.insert(order.end(), rows.begin(), rows.end());
  }
  const auto slowest = std::min(order.size(), kSlowest);
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(slowest),
                    order.end(), [&](traces::Row a, traces::Row b) {
                      return std::make_tuple(-trace.duration_ns()[a], trace.start_ns()[a], a) <
                             std::make_tuple(-trace.duration_ns()[b], trace.start_ns()[b], b);
                    });
  order.resize(slowest);
  const RemoteRuns remote(trace);
  for (const traces::Row row : order) {
    SlowCompile& slow = out.slowest.emplace_back();
    slow.trace_id = trace::Hex(trace.traces()[trace.trace()[row]]);
    slow.source = names.Of(row);
    slow.remote = remote.At(row);
    slow.duration_ns = trace.duration_ns()[row];
    FindLongestPhase(trace, row, slow);
  }
}

}  // namespace

Summary SummariseFigures(const traces::Columns& trace) {
  Summary out;
  MeasureBuild(trace, out);
  CountCompiles(trace, out);
  CountInvocations(trace, out);
  CountUploads(trace, out);
  AddUpCost(trace, out);
  MeasureConcurrency(trace, out);
  out.spans = trace.size();
  out.other_builds = trace.report().other_builds;
  out.malformed_lines = trace.report().malformed;
  out.truncated = trace.report().truncated > 0;
  return out;
}

Summary Summarise(const traces::Columns& trace, const UnitNames& names) {
  Summary out = SummariseFigures(trace);
  out.phases = MeasurePhases(trace);
  FindSlowest(trace, names, out);
  return out;
}

Summary Summarise(const traces::Columns& trace) {
  return Summarise(trace, UnitNames(trace, std::nullopt));
}

}  // namespace llama::analysis
