// Findings of the network and the functions.
#include <algorithm>
#include <map>

#include "analysis/findings/rules.h"
#include "analysis/units/phase_intervals.h"
#include "base/format.h"
#include "base/text_writer.h"
#include "trace/names.h"
#include "traces/columns/numbers.h"

namespace llama::analysis {
namespace {

constexpr double kLeastColdStarts = 0.08;
constexpr double kLeastTransfer = 0.05;
constexpr double kLeastQueue = 0.05;
constexpr double kSlowerWorker = 3;
constexpr int64_t kLeastWorkerJobs = 5;

// What all the build's units spent in each phase, as shares of the wall clock.
struct PhaseCosts {
  std::array<double, kPhases> ns = {};
  double of(Phase phase) const { return ns[static_cast<size_t>(phase)]; }
};

PhaseCosts MeasureCosts(const RuleInput& in) {
  PhaseCosts out;
  ForEachPhase(in.trace, in.analysis.units.build,
               [&](Phase phase, int64_t begin, int64_t end, traces::Row) {
                 // The other phases cost nothing that is asked for.
                 if (phase == Phase::kColdStart || phase == Phase::kWorkerQueue) {
                   out.ns[static_cast<size_t>(phase)] += in.shares.Ns(begin, end);
                 }
               });
  return out;
}

std::string Rate(double bytes_per_second) {
  return FormatFixed(bytes_per_second * 8 / 1e6, bytes_per_second * 8 < 10e6 ? 1 : 0) + " Mbit/s";
}

void FindLinks(const RuleInput& in, FindingList& out) {
  const TransferModel& uploads = in.transfers.uploads;
  const double up_ns = AsDouble(in.analysis.bounds.of(Bound::kUplink));
  if (out.IsWorth(up_ns, kLeastTransfer)) {
    const bool by_uploads = uploads.BoundByBytes();
    const TransferModel& model = by_uploads ? uploads : in.transfers.calls;
    Finding& finding = out.Add("uplink", up_ns);
    finding.text = "uploads were bound by " + Rate(model.bytes_per_second) + " for " +
                   out.Share(up_ns) + " of the wall clock: " + FormatBytes(model.bytes) + " in " +
                   Plural(static_cast<uint64_t>(model.requests), "request", "requests");
    finding.advice =
        "what the store holds is not sent again: the next build will be faster; else build from "
        "a place with a better uplink, or send less (fewer generated headers, smaller toolchain)";
    finding.evidence = {{"bytes", AsDouble(model.bytes)},
                        {"bytes_per_second", model.bytes_per_second},
                        {"requests", AsDouble(model.requests)},
                        {"upload_ns", AsDouble(model.duration_ns)}};
  }
  const double down_ns = AsDouble(in.analysis.bounds.of(Bound::kDownlink));
  if (out.IsWorth(down_ns, kLeastTransfer)) {
    const TransferModel& model = in.transfers.calls;
    Finding& finding = out.Add("downlink", down_ns);
    finding.text = "answers took " + out.Share(down_ns) +
                   " of the wall clock to come: " + FormatBytes(in.transfers.down_bytes);
    finding.advice = "smaller outputs come sooner: less debug information, -gz, split DWARF";
    finding.evidence = {{"bytes", AsDouble(in.transfers.down_bytes)},
                        {"bytes_per_second", model.bytes_per_second}};
  }
}

void FindStore(const RuleInput& in, FindingList& out) {
  const double cost_ns = AsDouble(in.analysis.bounds.of(Bound::kStore));
  if (!out.IsWorth(cost_ns, kLeastTransfer)) return;
  const TransferModel& uploads = in.transfers.uploads;
  int64_t fetches = 0;
  double fetch_ns = 0;
  const traces::FieldColumn& objects = in.trace.field(trace::field::kFetchedObjects);
  for (const traces::Row row : in.trace.rows_named(trace::span::kMaterialise)) {
    if (!in.IsOfBuild(row) || NsAt(objects, row) == 0) continue;
    ++fetches;
    fetch_ns += AsDouble(in.trace.duration_ns()[row]);
  }
  const double mean_fetch_ns = fetches > 0 ? fetch_ns / AsDouble(fetches) : 0;
  Finding& finding = out.Add("store", cost_ns);
  finding.text = "the store was slow for " + out.Share(cost_ns) + " of the wall clock: ";
  if (uploads.requests > 0) {
    finding.text += Plural(static_cast<uint64_t>(uploads.requests), "upload", "uploads") + " of " +
                    FormatBytes(uploads.bytes) + " took " +
                    FormatDuration(traces::WholeOf(uploads.request_ns)) +
                    " each besides their bytes";
  }
  if (fetches > 0) {
    finding.text += std::string(uploads.requests > 0 ? "; " : "") + "workers fetched " +
                    Plural(static_cast<uint64_t>(fetches), "time", "times") + ", " +
                    FormatDuration(traces::WholeOf(mean_fetch_ns)) + " each";
  }
  finding.advice =
      "use a bucket in the region of the functions, near the build host; 'llama doctor' measures "
      "its latency";
  finding.evidence = {{"uploads", AsDouble(uploads.requests)},
                      {"uploaded_bytes", AsDouble(uploads.bytes)},
                      {"request_ns", uploads.request_ns},
                      {"fetches", AsDouble(fetches)},
                      {"fetch_ns", mean_fetch_ns}};
}

void FindColdStarts(const RuleInput& in, const PhaseCosts& costs, FindingList& out) {
  const double cost_ns =
      std::max(AsDouble(in.analysis.bounds.of(Bound::kColdStarts)), costs.of(Phase::kColdStart));
  if (!out.IsWorth(cost_ns, kLeastColdStarts)) return;
  uint64_t starts = 0;
  uint64_t invocations = 0;
  const traces::FieldColumn& cold = in.trace.field(trace::field::kColdStart);
  for (const traces::Row row : in.trace.rows_named(trace::span::kInvoke)) {
    if (!in.IsOfBuild(row)) continue;
    ++invocations;
    starts += cold.TrueAt(row) ? 1 : 0;
  }
  Finding& finding = out.Add("cold-starts", cost_ns);
  finding.text = Plural(starts, "cold start", "cold starts") + " cost " +
                 FormatDuration(finding.cost_ns) + ", " + out.Share(cost_ns) +
                 " of the wall clock, in " + Plural(invocations, "invocation", "invocations");
  finding.advice =
      "a build soon after another finds warm workers; more memory starts faster; fewer jobs at "
      "once start fewer";
  finding.evidence = {{"cold_starts", static_cast<double>(starts)},
                      {"invocations", static_cast<double>(invocations)},
                      {"cold_ns", costs.of(Phase::kColdStart)}};
}

void FindQueue(const RuleInput& in, const PhaseCosts& costs, FindingList& out) {
  const double cost_ns =
      std::max(AsDouble(in.analysis.bounds.of(Bound::kWorkers)), costs.of(Phase::kWorkerQueue));
  if (!out.IsWorth(cost_ns, kLeastQueue)) return;
  uint64_t waited = 0;
  const traces::FieldColumn& queued = in.trace.field(trace::field::kQueuedNs);
  for (const traces::Row row : in.trace.rows_named(trace::span::kInvoke)) {
    if (in.IsOfBuild(row) && NsAt(queued, row) > 1'000'000) ++waited;
  }
  double most = 0;
  for (const ParallelismCell& cell : in.analysis.parallelism.cells) {
    most = std::max(most, cell.remote);
  }
  Finding& finding = out.Add("workers", cost_ns);
  finding.text = "function concurrency was the limit for " + out.Share(cost_ns) +
                 " of the wall clock: " + Plural(waited, "invocation", "invocations") +
                 " waited for a worker, with about " + FormatFixed(most, 0) + " at work at most";
  finding.advice = in.transfers.embedded
                       ? "workers run on this machine, as many as it has processors: 'llama "
                         "bootstrap' sets up functions on AWS"
                       : "raise the account's or the function's concurrency (LLAMA_CONCURRENCY, "
                         "reserved concurrency), or use a smaller -j";
  finding.evidence = {{"waited", static_cast<double>(waited)},
                      {"queued_ns", costs.of(Phase::kWorkerQueue)},
                      {"most_at_work", most}};
}

// Invocations that failed, and local runs because of it: all of their time.
void FindFailures(const RuleInput& in, FindingList& out) {
  const traces::FieldColumn& error = in.trace.field(trace::field::kError);
  const traces::FieldColumn& reason = in.trace.field(trace::field::kReason);
  double cost_ns = 0;
  uint64_t failed = 0;
  uint64_t local = 0;
  std::map<std::string_view, uint64_t> errors;
  for (const std::string_view name : {trace::span::kInvoke, trace::span::kSync}) {
    for (const traces::Row row : in.trace.rows_named(name)) {
      const auto text = error.StringAt(row);
      if (!text || !in.IsOfBuild(row)) continue;
      ++failed;
      ++errors[in.trace.text(*text)];
      cost_ns += in.shares.Ns(in.trace.start_ns()[row], in.trace.end_ns(row));
    }
  }
  for (const Unit& unit : in.analysis.units.all) {
    const auto why = reason.StringAt(unit.row);
    if (unit.remote || !why || !IsFailureReason(in.trace.text(*why))) continue;
    ++local;
    for (const traces::Row child : in.trace.children(unit.row)) {
      const std::string_view name = in.trace.text(in.trace.name()[child]);
      if (name != trace::span::kLocal && name != trace::span::kQueue) continue;
      cost_ns += in.shares.Ns(in.trace.start_ns()[child], in.trace.end_ns(child));
    }
  }
  if (failed + local == 0 || !out.IsWorth(cost_ns, kLeastShare)) return;
  Finding& finding = out.Add("failures", cost_ns);
  finding.text = "failures of the cloud cost " + out.Share(cost_ns) +
                 " of the wall clock: " + Plural(failed, "attempt", "attempts") + " failed, " +
                 Plural(local, "unit", "units") + " ran here for that reason";
  if (!errors.empty()) {
    const auto most =
        std::max_element(errors.begin(), errors.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    finding.text += "; most often: " + CutTo(Printable(most->first), 100);
  }
  finding.advice = "'llama doctor' tries the store and the function, and says what is wrong";
  finding.evidence = {{"failed_attempts", static_cast<double>(failed)},
                      {"local_runs", static_cast<double>(local)}};
}

struct WorkerTimes {
  traces::StringId id = 0;
  int64_t jobs = 0;
  double exec_ns = 0;
  double cost_ns = 0;
};

void FindSlowWorker(const RuleInput& in, FindingList& out) {
  const traces::FieldColumn& worker_id = in.trace.field(trace::field::kWorkerId);
  std::vector<WorkerTimes> by_id;
  std::vector<uint32_t> index;  // by string
  const auto execs = in.trace.rows_named(trace::span::kWorker);
  index.assign(in.trace.strings().size(), UINT32_MAX);
  double all_exec_ns = 0;
  int64_t all_jobs = 0;
  for (const traces::Row row : execs) {
    const auto id = worker_id.StringAt(row);
    if (!id || !in.IsOfBuild(row)) continue;
    if (index[*id] == UINT32_MAX) {
      index[*id] = static_cast<uint32_t>(by_id.size());
      by_id.push_back({*id, 0, 0, 0});
    }
    WorkerTimes& worker = by_id[index[*id]];
    ++worker.jobs;
    const double ns = AsDouble(in.trace.duration_ns()[row]);
    worker.exec_ns += ns;
    worker.cost_ns += in.shares.Ns(in.trace.start_ns()[row], in.trace.end_ns(row));
    all_exec_ns += ns;
    ++all_jobs;
  }
  const WorkerTimes* slowest = nullptr;
  double slowest_ratio = 0;
  for (const WorkerTimes& worker : by_id) {
    if (worker.jobs < kLeastWorkerJobs || all_jobs - worker.jobs < kLeastWorkerJobs) continue;
    const double others = (all_exec_ns - worker.exec_ns) / AsDouble(all_jobs - worker.jobs);
    const double ratio = others > 0 ? worker.exec_ns / AsDouble(worker.jobs) / others : 0;
    if (ratio >= kSlowerWorker && (slowest == nullptr || worker.cost_ns > slowest->cost_ns)) {
      slowest = &worker;
      slowest_ratio = ratio;
    }
  }
  if (slowest == nullptr) return;
  const double cost_ns = slowest->cost_ns * (1 - 1 / slowest_ratio);
  if (!out.IsWorth(cost_ns, kLeastShare)) return;
  Finding& finding = out.Add("slow-worker", cost_ns);
  finding.subject = in.trace.text(slowest->id);
  finding.text = "worker " + CutTo(Printable(finding.subject), kShownName) + " took " +
                 FormatFixed(slowest_ratio, 1) + " times as long as the others for its " +
                 Plural(static_cast<uint64_t>(slowest->jobs), "job", "jobs");
  finding.advice =
      "if it happens again, give the function more memory: that is also a larger share of a "
      "processor";
  finding.evidence = {{"jobs", AsDouble(slowest->jobs)}, {"ratio", slowest_ratio}};
}

}  // namespace

bool IsFailureReason(std::string_view reason) {
  for (const char* word : {"sync", "store-keeps-losing-objects", "invoke", "worker", "answer",
                           "cloud-unavailable", "timeout"}) {
    if (reason == word) return true;
  }
  return false;
}

void FindInCloud(const RuleInput& in, FindingList& out) {
  const PhaseCosts costs = MeasureCosts(in);
  FindLinks(in, out);
  FindStore(in, out);
  FindColdStarts(in, costs, out);
  FindQueue(in, costs, out);
  FindFailures(in, out);
  FindSlowWorker(in, out);
}

}  // namespace llama::analysis
