#include "analysis/resources/workers.h"

#include <algorithm>
#include <cstdlib>

#include "base/text/json.h"
#include "trace/names.h"
#include "traces/columns/big_vector.h"
#include "traces/columns/numbers.h"

namespace llama::analysis {
namespace {

constexpr size_t kShown = 8;

class WorkerTable {
 public:
  explicit WorkerTable(const traces::Columns& trace)
      : trace_(trace), numbers_(trace.strings().size(), 0) {}

  // The worker that a span names, or nullptr.
  Worker* Of(traces::Row row) {
    const auto id = ids_.StringAt(row);
    if (!id || *id == 0) return nullptr;
    uint32_t& number = numbers_[*id];
    if (number == 0) {
      Worker& worker = workers_.emplace_back();
      worker.id = *id;
      worker.first_ns = INT64_MAX;
      worker.last_ns = INT64_MIN;
      number = static_cast<uint32_t>(workers_.size());
    }
    return &workers_[number - 1];
  }
  Worker* Find(traces::StringId id) {
    return numbers_[id] == 0 ? nullptr : &workers_[numbers_[id] - 1];
  }
  std::vector<Worker> Take() { return std::move(workers_); }

 private:
  const traces::Columns& trace_;
  const traces::FieldColumn& ids_ = trace_.field(trace::field::kWorkerId);
  traces::BigVector<uint32_t> numbers_;  // by string: one more than the index
  std::vector<Worker> workers_;
};

void CountInvocations(const traces::Columns& trace, WorkerTable& table, Workers& out) {
  const traces::FieldColumn& cold_start = trace.field(trace::field::kColdStart);
  const traces::FieldColumn& init = trace.field(trace::field::kInitNs);
  const traces::FieldColumn& billed = trace.field(trace::field::kBilledMs);
  const traces::FieldColumn& fetched = trace.field(trace::field::kFetchedBytes);
  const traces::FieldColumn& user = trace.field(trace::field::kUserNs);
  const traces::FieldColumn& system = trace.field(trace::field::kSystemNs);
  for (const traces::Row row : trace.rows_named(trace::span::kInvoke)) {
    Worker* worker = table.Of(row);
    if (worker == nullptr) {
      ++out.unattributed;
      continue;
    }
    ++worker->jobs;
    worker->cold_starts += cold_start.TrueAt(row) ? 1 : 0;
    worker->init_ns = traces::AddUp(worker->init_ns, traces::CountAt(init, row).value_or(0));
    worker->billed_ms = traces::AddUp(worker->billed_ms, traces::CountAt(billed, row).value_or(0));
    worker->fetched_bytes =
        traces::AddUp(worker->fetched_bytes, traces::CountAt(fetched, row).value_or(0));
    worker->cpu_ns =
        traces::AddUp(worker->cpu_ns, traces::AddUp(traces::CountAt(user, row).value_or(0),
                                                    traces::CountAt(system, row).value_or(0)));
  }
}

void AddBusy(const traces::Columns& trace, traces::Row row, int64_t queued_ns, Worker& worker) {
  const int64_t duration_ns = trace.duration_ns()[row];
  queued_ns = std::min(queued_ns, duration_ns);
  worker.first_ns = std::min(worker.first_ns, trace.start_ns()[row] + queued_ns);
  worker.last_ns = std::max(worker.last_ns, trace.end_ns(row));
  worker.busy_ns = traces::AddUp(worker.busy_ns, duration_ns - queued_ns);
}

void MeasureBusy(const traces::Columns& trace, WorkerTable& table) {
  for (const traces::Row row : trace.rows_named(trace::span::kWorker)) {
    if (Worker* worker = table.Of(row)) AddBusy(trace, row, 0, *worker);
  }
  // Those that sent no spans of their own: from outside.
  const traces::FieldColumn& queued = trace.field(trace::field::kQueuedNs);
  std::vector<traces::StringId> silent;
  for (const traces::Row row : trace.rows_named(trace::span::kInvoke)) {
    Worker* worker = table.Of(row);
    if (worker == nullptr) continue;
    if (worker->last_ns == INT64_MIN) silent.push_back(worker->id);
  }
  std::sort(silent.begin(), silent.end());
  if (silent.empty()) return;
  for (const traces::Row row : trace.rows_named(trace::span::kInvoke)) {
    Worker* worker = table.Of(row);
    if (worker == nullptr || !std::binary_search(silent.begin(), silent.end(), worker->id)) {
      continue;
    }
    AddBusy(trace, row, traces::CountAt(queued, row).value_or(0), *worker);
  }
}

void NoteClocks(const traces::Columns& trace, WorkerTable& table) {
  for (const traces::WorkerClock& clock : trace.worker_clocks()) {
    Worker* worker = clock.worker_id == 0 ? nullptr : table.Find(clock.worker_id);
    if (worker == nullptr) continue;
    worker->clock_offset_ns = clock.offset_ns;
    worker->clock_uncertainty_ns = clock.uncertainty_ns;
  }
}

int64_t Magnitude(int64_t ns) { return ns == INT64_MIN ? INT64_MAX : std::abs(ns); }

std::string OffsetText(const Worker& worker) {
  if (!worker.clock_offset_ns) return "–";
  const int64_t offset_ns = *worker.clock_offset_ns;
  const char* sign = offset_ns < 0 ? "−" : offset_ns > 0 ? "+" : "";
  return sign + FormatDuration(Magnitude(offset_ns)) + " ± " +
         FormatDuration(worker.clock_uncertainty_ns);
}

double IdleShare(int64_t idle_ns, int64_t busy_ns) {
  const double total = static_cast<double>(idle_ns) + static_cast<double>(busy_ns);
  return total > 0 ? static_cast<double>(idle_ns) / total : 0;
}

}  // namespace

Workers FindWorkers(const traces::Columns& trace) {
  Workers out;
  WorkerTable table(trace);
  CountInvocations(trace, table, out);
  MeasureBusy(trace, table);
  NoteClocks(trace, table);
  out.all = table.Take();
  for (Worker& worker : out.all) {
    int64_t life_ns = 0;
    if (__builtin_sub_overflow(worker.last_ns, worker.first_ns, &life_ns)) life_ns = INT64_MAX;
    worker.idle_ns = std::max<int64_t>(0, life_ns - worker.busy_ns);
    out.busy_ns = traces::AddUp(out.busy_ns, worker.busy_ns);
    out.idle_ns = traces::AddUp(out.idle_ns, worker.idle_ns);
    if (!worker.clock_offset_ns) continue;
    ++out.clocks;
    out.max_offset_ns = std::max(out.max_offset_ns, Magnitude(*worker.clock_offset_ns));
    out.max_uncertainty_ns = std::max(out.max_uncertainty_ns, worker.clock_uncertainty_ns);
  }
  std::sort(out.all.begin(), out.all.end(), [](const Worker& a, const Worker& b) {
    if (a.busy_ns != b.busy_ns) return a.busy_ns > b.busy_ns;
    return a.first_ns != b.first_ns ? a.first_ns < b.first_ns : a.id < b.id;
  });
  return out;
}

void WriteWorkers(const traces::Columns& trace, const Workers& workers, TextWriter& out) {
  if (workers.all.empty()) return;
  out.Heading("workers");
  std::string all = FormatCount(workers.all.size()) +
                    "; idle between their first and last job for " +
                    FormatShare(IdleShare(workers.idle_ns, workers.busy_ns)) + " of that time";
  out.Paragraph(all);
  if (workers.clocks > 0) {
    out.Paragraph("clocks off by " + FormatDuration(workers.max_offset_ns) +
                  " at most, corrected to ± " + FormatDuration(workers.max_uncertainty_ns));
  }
  if (workers.unattributed > 0) {
    out.Paragraph(Plural(workers.unattributed, "invocation names", "invocations name") +
                  " no worker");
  }
  TextTable table({"worker", "jobs", "starts", "busy", "idle", "CPU", "fetched", "clock"}, false,
                  {6, 2, 7});
  for (size_t i = 0; i < std::min(kShown, workers.all.size()); ++i) {
    const Worker& worker = workers.all[i];
    table.Add({CutTo(Printable(trace.text(worker.id)), 18), FormatCount(worker.jobs),
               FormatCount(worker.cold_starts), FormatDuration(worker.busy_ns),
               FormatShare(IdleShare(worker.idle_ns, worker.busy_ns)),
               FormatDuration(worker.cpu_ns), FormatBytes(worker.fetched_bytes),
               OffsetText(worker)});
  }
  table.Write(out);
  if (workers.all.size() > kShown) {
    out.Raw("  and " + FormatCount(workers.all.size() - kShown) + " more");
  }
}

void AddWorkersJson(const traces::Columns& trace, const Workers& workers, JsonWriter& json) {
  json.Key("workers").BeginObject();
  json.Key("count").Int(static_cast<int64_t>(workers.all.size()));
  json.Key("unattributed").Int(static_cast<int64_t>(workers.unattributed));
  json.Key("busy_ns").Int(workers.busy_ns);
  json.Key("idle_ns").Int(workers.idle_ns);
  json.Key("max_clock_offset_ns").Int(workers.max_offset_ns);
  json.Key("max_clock_uncertainty_ns").Int(workers.max_uncertainty_ns);
  json.Key("all").BeginArray();
  for (const Worker& worker : workers.all) {
    json.BeginObject();
    json.Key("id").String(trace.text(worker.id));
    json.Key("jobs").Int(static_cast<int64_t>(worker.jobs));
    json.Key("cold_starts").Int(static_cast<int64_t>(worker.cold_starts));
    json.Key("init_ns").Int(worker.init_ns);
    json.Key("first_ns").Int(worker.first_ns);
    json.Key("last_ns").Int(worker.last_ns);
    json.Key("busy_ns").Int(worker.busy_ns);
    json.Key("idle_ns").Int(worker.idle_ns);
    json.Key("cpu_ns").Int(worker.cpu_ns);
    json.Key("billed_ms").Int(worker.billed_ms);
    json.Key("fetched_bytes").Int(worker.fetched_bytes);
    json.Key("clock_offset_ns");
    worker.clock_offset_ns ? json.Int(*worker.clock_offset_ns) : json.Null();
    json.Key("clock_uncertainty_ns").Int(worker.clock_uncertainty_ns);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
}

}  // namespace llama::analysis
