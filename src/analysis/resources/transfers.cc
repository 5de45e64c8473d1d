#include "analysis/resources/transfers.h"

#include <algorithm>
#include <map>
#include <optional>

#include "analysis/units/overlap.h"
#include "analysis/units/phase_intervals.h"
#include "trace/names.h"
#include "traces/columns/numbers.h"

namespace llama::analysis {
namespace {

// An upload that units left before its end, as each of them saw it.
class LeftUpload {
 public:
  void See(int64_t since_ns, int64_t arrived_bytes, int64_t retried_ns) {
    retried_ns_ = std::max(retried_ns_, retried_ns);
    const Glance glance{since_ns, arrived_bytes};
    if (!first_ || since_ns < first_->since_ns) first_ = glance;
    if (!last_ || since_ns >= last_->since_ns) last_ = glance;
  }
  Transfer SoFar(int64_t size_bytes) const {
    const bool sending = last_->bytes > 0 && last_->bytes < size_bytes;
    double bytes = static_cast<double>(last_->bytes);
    // Buffers on the way take the first of it as fast as it comes: what came in between is what the
    // line delivers.
    const int64_t between_ns = last_->since_ns - first_->since_ns;
    if (sending && between_ns >= kLeastBetweenNs) {
      const double rate =
          (bytes - static_cast<double>(first_->bytes)) / static_cast<double>(between_ns);
      bytes = std::clamp(rate * static_cast<double>(last_->since_ns), 0.0, bytes);
    }
    return {traces::WholeOf(bytes), 1, std::max<int64_t>(0, last_->since_ns - retried_ns_),
            sending ? Transfer::Seen::kSending : Transfer::Seen::kWaiting};
  }

 private:
  static constexpr int64_t kLeastBetweenNs = 1'000'000'000;
  struct Glance {
    int64_t since_ns = 0;
    int64_t bytes = 0;
  };
  std::optional<Glance> first_;
  std::optional<Glance> last_;
  int64_t retried_ns_ = 0;
};

void MeasureUploads(const traces::Columns& trace, const Units& units, Transfers& out) {
  const traces::FieldColumn& bytes = trace.field(trace::field::kUploadedBytes);
  const traces::FieldColumn& requests = trace.field(trace::field::kStoreRequests);
  const traces::FieldColumn& store_ns = trace.field(trace::field::kStoreNs);
  const traces::FieldColumn& retried = trace.field(trace::field::kRetriedNs);
  const traces::FieldColumn& awaited = trace.field(trace::field::kAwaitedBytes);
  const traces::FieldColumn& awaited_sent = trace.field(trace::field::kAwaitedSentBytes);
  const traces::FieldColumn& awaited_ns = trace.field(trace::field::kAwaitedNs);
  std::vector<Transfer> uploads;
  std::map<int64_t, LeftUpload> left;  // by the object's size
  int64_t all_ns = 0;
  int64_t in_store_ns_of_all = 0;
  int64_t retried_ns_of_all = 0;
  for (const traces::Row row : trace.rows_named(trace::span::kSync)) {
    if (units.build && trace.build()[row] != *units.build) continue;
    const int64_t duration_ns = trace.duration_ns()[row];
    if (awaited.Has(row)) {
      const int64_t upload_ns = NsAt(awaited_ns, row);
      const int64_t again_ns = std::min({NsAt(retried, row), upload_ns, duration_ns});
      left[NsAt(awaited, row)].See(upload_ns, NsAt(awaited_sent, row), NsAt(retried, row));
      in_store_ns_of_all =
          traces::AddUp(in_store_ns_of_all, std::min(upload_ns, duration_ns) - again_ns);
      retried_ns_of_all = traces::AddUp(retried_ns_of_all, again_ns);
      all_ns = traces::AddUp(all_ns, duration_ns);
      continue;
    }
    if (NsAt(bytes, row) == 0 && NsAt(requests, row) == 0) continue;
    const int64_t calls_ns =
        store_ns.Has(row) ? std::min(NsAt(store_ns, row), duration_ns) : duration_ns;
    const int64_t again_ns = std::min(NsAt(retried, row), calls_ns);
    const int64_t in_store_ns = calls_ns - again_ns;
    retried_ns_of_all = traces::AddUp(retried_ns_of_all, again_ns);
    uploads.push_back({NsAt(bytes, row), std::max<int64_t>(1, NsAt(requests, row)), in_store_ns});
    in_store_ns_of_all = traces::AddUp(in_store_ns_of_all, in_store_ns);
    all_ns = traces::AddUp(all_ns, duration_ns);
  }
  for (const auto& [size, upload] : left) uploads.push_back(upload.SoFar(size));
  out.uploads = ModelTransfers(std::move(uploads));
  if (all_ns > 0) {
    out.upload_share = static_cast<double>(in_store_ns_of_all) / static_cast<double>(all_ns);
    out.upload_retry_share = static_cast<double>(retried_ns_of_all) / static_cast<double>(all_ns);
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
  Overlap sending(units.start_ns, units.end_ns);
  Overlap receiving(units.start_ns, units.end_ns);
  ForEachPhase(
      trace, units.build, [&](Phase phase, int64_t begin_ns, int64_t end_ns, traces::Row row) {
        if (phase != Phase::kTransit && phase != Phase::kTransitBack) return;
        int64_t& way_ns = phase == Phase::kTransit ? out.there_ns : out.back_ns;
        way_ns = traces::AddUp(way_ns, end_ns - begin_ns);
        (phase == Phase::kTransit ? sending : receiving).Add(begin_ns, end_ns);
        // There are two stretches of it to a call: there and back.
        if (row != last)
          calls.push_back({traces::AddUp(NsAt(payload, row), NsAt(answer, row)), 1, 0});
        calls.back().duration_ns = traces::AddUp(calls.back().duration_ns, end_ns - begin_ns);
        last = row;
      });
  out.calls_made = static_cast<int64_t>(calls.size());
  out.sending_ns = sending.Measure().one_ns;
  out.receiving_ns = receiving.Measure().one_ns;
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
