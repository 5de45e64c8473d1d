#include "analysis/resources/transfers.h"

#include <algorithm>

#include "analysis/units/phase_intervals.h"
#include "trace/names.h"
#include "traces/columns/numbers.h"

namespace llama::analysis {
namespace {

void MeasureUploads(const traces::Columns& trace, const Units& units, Transfers& out) {
  const traces::FieldColumn& bytes = trace.field(trace::field::kUploadedBytes);
  const traces::FieldColumn& requests = trace.field(trace::field::kStoreRequests);
  const traces::FieldColumn& store_ns = trace.field(trace::field::kStoreNs);
  std::vector<Transfer> uploads;
  int64_t all_ns = 0;
  for (const traces::Row row : trace.rows_named(trace::span::kSync)) {
    if (units.build && trace.build()[row] != *units.build) continue;
    if (NsAt(bytes, row) == 0 && NsAt(requests, row) == 0) continue;
    const int64_t duration_ns = trace.duration_ns()[row];
    const int64_t in_store_ns =
        store_ns.Has(row) ? std::min(NsAt(store_ns, row), duration_ns) : duration_ns;
    uploads.push_back({NsAt(bytes, row), std::max<int64_t>(1, NsAt(requests, row)), in_store_ns});
    all_ns = traces::AddUp(all_ns, duration_ns);
  }
  out.uploads = ModelTransfers(std::move(uploads));
  if (all_ns > 0) {
    out.upload_share = static_cast<double>(out.uploads.duration_ns) / static_cast<double>(all_ns);
  }
}

void MeasureCalls(const traces::Columns& trace, const Units& units, Transfers& out) {
  const traces::FieldColumn& payload = trace.field(trace::field::kPayloadBytes);
  const traces::FieldColumn& answer = trace.field(trace::field::kAnswerBytes);
  const traces::FieldColumn& function = trace.field(trace::field::kFunction);
  for (const traces::Row row : trace.rows_named(trace::span::kInvoke)) {
    if (units.build && trace.build()[row] != *units.build) continue;
    const auto name = function.StringAt(row);
    if (name && trace.text(*name) == trace::field::kEmbeddedFunction) out.embedded = true;
    out.up_bytes = traces::AddUp(out.up_bytes, NsAt(payload, row));
    out.down_bytes = traces::AddUp(out.down_bytes, NsAt(answer, row));
  }
  std::vector<Transfer> calls;
  traces::Row last = traces::kNoRow;
  ForEachPhase(
      trace, units.build, [&](Phase phase, int64_t begin_ns, int64_t end_ns, traces::Row row) {
        if (phase != Phase::kTransit && phase != Phase::kTransitBack) return;
        int64_t& way_ns = phase == Phase::kTransit ? out.there_ns : out.back_ns;
        way_ns = traces::AddUp(way_ns, end_ns - begin_ns);
        // There are two stretches of it to a call: there and back.
        if (row != last)
          calls.push_back({traces::AddUp(NsAt(payload, row), NsAt(answer, row)), 1, 0});
        calls.back().duration_ns = traces::AddUp(calls.back().duration_ns, end_ns - begin_ns);
        last = row;
      });
  out.calls_made = static_cast<int64_t>(calls.size());
  out.calls = ModelTransfers(std::move(calls));
}

constexpr int64_t kMuchLonger = 3;
constexpr double kSlowLine = 12.5e6;  // bytes a second

}  // namespace

bool Transfers::AnswersAreSlow() const {
  return down_bytes > up_bytes && back_ns / kMuchLonger > there_ns &&
         static_cast<double>(down_bytes) * 1e9 < kSlowLine * static_cast<double>(back_ns);
}

Transfers MeasureTransfers(const traces::Columns& trace, const Units& units) {
  Transfers out;
  MeasureUploads(trace, units, out);
  MeasureCalls(trace, units, out);
  return out;
}

}  // namespace llama::analysis
