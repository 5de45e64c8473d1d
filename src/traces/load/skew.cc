#include "traces/load/skew.h"

#include <algorithm>
#include <array>
#include <optional>
#include <tuple>

#include "trace/names.h"

namespace llama::traces {
namespace {

// Of a worker's outermost span: ours, and the original's.
constexpr std::array<std::string_view, 2> kWorkerSpans = {trace::span::kWorker, "runtime.Execute"};
// An interval this many times as wide as the usual one has a cold start or a queue at its front, so
// that its middle says nothing.
constexpr int64_t kWide = 2;

// One call: what may be added to the worker's times so that they lie inside the caller's.
struct Call {
  Row row = kNoRow;
  uint32_t build = 0;
  StringId worker_id = 0;
  int64_t least_ns = 0;
  int64_t most_ns = 0;
  int64_t width_ns() const { return most_ns - least_ns; }
};

// Times may be anything that fits into 64 bits; so may their difference not.
std::optional<int64_t> Difference(int64_t a, int64_t b) {
  int64_t difference = 0;
  // Half of the range, so that sums and widths of two fit, too.
  if (__builtin_sub_overflow(a, b, &difference)) return std::nullopt;
  if (difference > INT64_MAX / 4 || difference < INT64_MIN / 4) return std::nullopt;
  return difference;
}

const FieldColumn* FindColumn(const Table& table, std::string_view name) {
  for (const TableField& field : table.fields) {
    if (table.strings[field.name] == name) return &field.column;
  }
  static const FieldColumn none;
  return &none;
}

class Callers {
 public:
  explicit Callers(const Table& table)
      : table_(table),
        worker_id_(FindColumn(table, trace::field::kWorkerId)),
        function_(FindColumn(table, trace::field::kFunction)),
        queued_ns_(FindColumn(table, trace::field::kQueuedNs)) {}

  // Nothing if it shares the caller's clock, or its times are nonsense.
  std::optional<Call> CallOf(Row worker) const {
    const Row caller = table_.parent[worker];
    const auto function = function_->StringAt(caller);
    if (function && table_.strings[*function] == trace::field::kEmbeddedFunction)
      return std::nullopt;
    const auto from = Difference(table_.start_ns[caller], table_.start_ns[worker]);
    const auto to = Difference(End(caller), End(worker));
    if (!from || !to) return std::nullopt;
    Call call;
    call.row = worker;
    call.build = table_.build[worker];
    call.worker_id = worker_id_->StringAt(worker).value_or(0);
    if (call.worker_id == 0) call.worker_id = worker_id_->StringAt(caller).value_or(0);
    call.least_ns = *from;
    call.most_ns = *to;
    // While it was queued no worker had it.
    const int64_t queued_ns = queued_ns_->IntAt(caller).value_or(0);
    if (queued_ns > 0 && queued_ns <= call.width_ns()) call.least_ns += queued_ns;
    return call;
  }

 private:
  int64_t End(Row row) const { return table_.start_ns[row] + table_.duration_ns[row]; }

  const Table& table_;
  const FieldColumn* worker_id_;
  const FieldColumn* function_;
  const FieldColumn* queued_ns_;
};

std::vector<Call> FindCalls(const Table& table) {
  std::vector<Call> calls;
  const Callers callers(table);
  std::array<std::optional<StringId>, kWorkerSpans.size()> names;
  for (size_t i = 0; i < names.size(); ++i) names[i] = table.strings.Find(kWorkerSpans[i]);
  for (Row row = 0; row < table.size(); ++row) {
    if (table.name[row] != names[0] && table.name[row] != names[1]) continue;
    if (table.parent[row] == kNoRow) continue;
    if (auto call = callers.CallOf(row)) calls.push_back(*call);
  }
  std::sort(calls.begin(), calls.end(), [](const Call& a, const Call& b) {
    return std::tie(a.build, a.worker_id, a.row) < std::tie(b.build, b.worker_id, b.row);
  });
  return calls;
}

// Calls of one worker, or one call of an unknown one, and what their bounds have in common.
struct Worker {
  std::span<const Call> calls;
  int64_t least_ns = 0;
  int64_t most_ns = 0;
  int64_t width_ns() const { return most_ns - least_ns; }
  bool consistent() const { return least_ns <= most_ns; }
};

std::vector<Worker> GroupByWorker(std::span<const Call> calls) {
  std::vector<Worker> workers;
  for (const Call& call : calls) {
    const bool same = !workers.empty() && call.worker_id != 0 &&
                      workers.back().calls[0].worker_id == call.worker_id &&
                      workers.back().calls[0].build == call.build;
    if (!same) {
      workers.push_back({{&call, 1}, call.least_ns, call.most_ns});
      continue;
    }
    Worker& worker = workers.back();
    worker.calls = {worker.calls.data(), worker.calls.size() + 1};
    worker.least_ns = std::max(worker.least_ns, call.least_ns);
    worker.most_ns = std::min(worker.most_ns, call.most_ns);
  }
  return workers;
}

int64_t MedianWidth(const std::vector<Worker>& workers) {
  std::vector<int64_t> widths;
  for (const Worker& worker : workers) {
    if (worker.consistent()) widths.push_back(worker.width_ns());
  }
  if (widths.empty()) return 0;
  const auto middle = widths.begin() + static_cast<std::ptrdiff_t>(widths.size() / 2);
  std::nth_element(widths.begin(), middle, widths.end());
  return *middle;
}

WorkerClock ClockOf(const Worker& worker, int64_t median_ns) {
  WorkerClock clock;
  clock.worker_id = worker.calls[0].worker_id;
  clock.build = worker.calls[0].build;
  clock.calls = static_cast<uint32_t>(worker.calls.size());
  clock.consistent = worker.consistent();
  clock.offset_ns = worker.least_ns + worker.width_ns() / 2;
  if (worker.least_ns <= 0 && worker.most_ns >= 0) {
    // Clocks of machines that are kept by NTP agree: no call says that this one does not.
    clock.offset_ns = 0;
  } else if (worker.consistent() && worker.width_ns() / kWide > median_ns) {
    // What is loose is the way there; the way back is as tight as for the others.
    clock.offset_ns = worker.most_ns - median_ns / 2;
  }
  clock.uncertainty_ns = std::max(std::abs(clock.offset_ns - worker.least_ns),
                                  std::abs(worker.most_ns - clock.offset_ns));
  return clock;
}

// Where no one offset fits all calls, the clock was set or runs unevenly: each has the nearest that
// fits it. A worker's span longer than its call's fits nowhere; it keeps the worker's.
int64_t OffsetOf(const Call& call, const WorkerClock& clock) {
  if (clock.consistent || call.least_ns > call.most_ns) return clock.offset_ns;
  return std::clamp(clock.offset_ns, call.least_ns, call.most_ns);
}

void AddClock(Table& table, const WorkerClock& clock) {
  // Of unknown workers there may be a million; they are summed up.
  const bool sum = clock.worker_id == 0 && !table.clocks.empty() &&
                   table.clocks.back().worker_id == 0 && table.clocks.back().build == clock.build;
  if (!sum) {
    table.clocks.push_back(clock);
    return;
  }
  WorkerClock& all = table.clocks.back();
  all.calls += clock.calls;
  all.uncertainty_ns = std::max(all.uncertainty_ns, clock.uncertainty_ns);
  all.consistent = all.consistent && clock.consistent;
}

}  // namespace

void CorrectClocks(Table& table, std::span<const Row> order) {
  const std::vector<Call> calls = FindCalls(table);
  if (calls.empty()) return;
  const std::vector<Worker> workers = GroupByWorker(calls);
  const int64_t median_ns = MedianWidth(workers);
  BigVector<int64_t> shift_ns(table.size(), 0);
  for (const Worker& worker : workers) {
    const WorkerClock clock = ClockOf(worker, median_ns);
    for (const Call& call : worker.calls) shift_ns[call.row] = OffsetOf(call, clock);
    AddClock(table, clock);
  }
  // A span has the clock of its parent, but for what a call adds.
  for (const Row row : order) {
    if (table.parent[row] == kNoRow) continue;
    int64_t& shift = shift_ns[row];
    int64_t start_ns = 0;
    int64_t end_ns = 0;
    if (__builtin_add_overflow(shift, shift_ns[table.parent[row]], &shift) ||
        __builtin_add_overflow(table.start_ns[row], shift, &start_ns) ||
        __builtin_add_overflow(start_ns, table.duration_ns[row], &end_ns)) {
      shift = 0;
    }
  }
  for (Row row = 0; row < table.size(); ++row) {
    if (shift_ns[row] == 0) continue;
    table.shifted.push_back(row);
    table.shift_ns.push_back(shift_ns[row]);
    table.start_ns[row] += shift_ns[row];
  }
}

}  // namespace llama::traces
