// Phases of the units as intervals on the client's clock: what each moment of a unit was spent on.
// Where an invocation's waiting, its cold start and the worker's spans are known, they are told
// apart; the rest of it was under way.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "trace/names.h"
#include "traces/columns/columns.h"

namespace llama::analysis {

enum class Phase : uint8_t {
  kClient,       // send, parse, scan, verify, write, reply: the wrapper's and the daemon's own work
  kSync,         // bringing the store in step, or waiting for someone who does
  kWorkerQueue,  // until a worker was free
  kRetry,        // attempts that failed, and the waits after them; those of kSync are in it
  kColdStart,    // until a new worker had started
  kTransit,      // the request under way
  kTransitBack,  // the answer under way
  kMaterialise,  // the worker fetching what the job needs
  kFill,         // the same of a new worker, which has nothing yet
  kExec,         // the worker: the compiler, and what little there is around it
  kLocalQueue,   // until a local slot was free
  kLocal,        // the compiler on the build host
  kLocalMeanwhile,  // the same, since the store was too slow to wait for
};
inline constexpr size_t kPhases = 13;

// Of an invocation that a worker has.
inline bool IsRemote(Phase phase) {
  return phase == Phase::kColdStart || phase == Phase::kTransit || phase == Phase::kTransitBack ||
         phase == Phase::kMaterialise || phase == Phase::kFill || phase == Phase::kExec;
}

// An integer ≥ 0, or 0.
inline int64_t NsAt(const traces::FieldColumn& column, traces::Row row) {
  return std::max<int64_t>(0, column.IntAt(row).value_or(0));
}

// A unit's reason (docs/trace_format.md) that is none to run it here: nobody waits for it any more.
inline constexpr std::string_view kCancelled = "cancelled";

// Another: an upload was too slow to wait for.
inline constexpr std::string_view kSlowUpload = "slow-upload";

// Whether phases of units failed by themselves: those of a unit that was cancelled were made to.
class FailedSpans {
 public:
  explicit FailedSpans(const traces::Columns& trace)
      : trace_(trace),
        error_(trace.field(trace::field::kError)),
        reason_(trace.field(trace::field::kReason)),
        cancelled_(trace.strings().Find(kCancelled)) {}

  bool At(traces::Row row) const {
    if (!error_.Has(row)) return false;
    const traces::Row unit = trace_.parent()[row];
    return !cancelled_ || unit == traces::kNoRow || reason_.StringAt(unit) != cancelled_;
  }

 private:
  const traces::Columns& trace_;
  const traces::FieldColumn& error_;
  const traces::FieldColumn& reason_;
  const std::optional<traces::StringId> cancelled_;
};

// f(Phase, begin_ns, end_ns, Row) for every phase of every unit; the intervals of one unit don't
// overlap. In no order. `build` as of FindUnits.
template <typename F>
void ForEachPhase(const traces::Columns& trace, std::optional<uint32_t> build, F&& f) {
  const auto each = [&](std::string_view name, auto&& g) {
    for (const traces::Row row : trace.rows_named(name)) {
      if (!build || trace.build()[row] == *build) g(row, trace.start_ns()[row], trace.end_ns(row));
    }
  };
  for (const std::string_view name :
       {trace::span::kSend, trace::span::kParse, trace::span::kScan, trace::span::kVerify,
        trace::span::kWrite, trace::span::kReply}) {
    each(name,
         [&](traces::Row row, int64_t begin, int64_t end) { f(Phase::kClient, begin, end, row); });
  }
  const FailedSpans failed(trace);
  each(trace::span::kSync, [&](traces::Row row, int64_t begin, int64_t end) {
    f(failed.At(row) ? Phase::kRetry : Phase::kSync, begin, end, row);
  });
  each(trace::span::kQueue, [&](traces::Row row, int64_t begin, int64_t end) {
    f(Phase::kLocalQueue, begin, end, row);
  });
  const traces::FieldColumn& reason = trace.field(trace::field::kReason);
  const std::optional<traces::StringId> slow_upload = trace.strings().Find(kSlowUpload);
  each(trace::span::kLocal, [&](traces::Row row, int64_t begin, int64_t end) {
    const traces::Row unit = trace.parent()[row];
    const bool meanwhile =
        slow_upload && unit != traces::kNoRow && reason.StringAt(unit) == slow_upload;
    f(meanwhile ? Phase::kLocalMeanwhile : Phase::kLocal, begin, end, row);
  });

  const traces::FieldColumn& queued = trace.field(trace::field::kQueuedNs);
  const traces::FieldColumn& retried = trace.field(trace::field::kRetriedNs);
  const traces::FieldColumn& init = trace.field(trace::field::kInitNs);
  const traces::FieldColumn& cold_start = trace.field(trace::field::kColdStart);
  const std::span<const traces::StringId> names = trace.name();
  std::optional<traces::StringId> worker_name;
  std::optional<traces::StringId> materialise_name;
  for (const traces::StringId name : trace.span_names()) {
    if (trace.text(name) == trace::span::kWorker) worker_name = name;
    if (trace.text(name) == trace::span::kMaterialise) materialise_name = name;
  }
  each(trace::span::kInvoke, [&](traces::Row row, int64_t begin, int64_t end) {
    const auto until = [&](Phase phase, int64_t to) {
      to = std::clamp(to, begin, end);
      if (to > begin) f(phase, begin, to, row);
      begin = to;
    };
    until(Phase::kWorkerQueue, begin + std::min(NsAt(queued, row), end - begin));
    if (failed.At(row)) return until(Phase::kRetry, end);
    until(Phase::kRetry, begin + std::min(NsAt(retried, row), end - begin));
    traces::Row worker = traces::kNoRow;
    for (const traces::Row child : trace.children(row)) {
      if (worker_name && names[child] == *worker_name) worker = child;
    }
    const bool is_cold = cold_start.TrueAt(row);
    if (worker == traces::kNoRow) {
      until(Phase::kColdStart, begin + std::min(NsAt(init, row), end - begin));
      until(Phase::kTransit, end);
      return;
    }
    // All that passes before a new worker works is its start: Lambda's init_ns is the last part of
    // it. Where in a call that long the worker's clock puts it is anyone's guess, so it is taken to
    // have answered as it ended.
    int64_t shift_ns = 0;
    if (__builtin_sub_overflow(end, trace.end_ns(worker), &shift_ns) || !is_cold || shift_ns < 0 ||
        shift_ns > end - begin) {
      shift_ns = 0;
    }
    const int64_t work = std::clamp(trace.start_ns()[worker] + shift_ns, begin, end);
    const int64_t work_end = std::clamp(trace.end_ns(worker) + shift_ns, work, end);
    until(is_cold ? Phase::kColdStart : Phase::kTransit, work);
    for (const traces::Row step : trace.children(worker)) {
      if (!materialise_name || names[step] != *materialise_name) continue;
      const int64_t step_ns =
          std::clamp(trace.start_ns()[step], work - shift_ns, work_end - shift_ns);
      const int64_t step_end_ns = std::min(trace.end_ns(step), work_end - shift_ns);
      until(Phase::kExec, step_ns + shift_ns);
      until(Phase::kRetry, step_ns + shift_ns + std::min(NsAt(retried, step), end - begin));
      until(is_cold ? Phase::kFill : Phase::kMaterialise, step_end_ns + shift_ns);
    }
    until(Phase::kExec, work_end);
    until(Phase::kTransitBack, end);
  });
}

}  // namespace llama::analysis
