// Findings of the network and the functions.
#include <algorithm>
#include <map>

#include "analysis/findings/rules.h"
#include "analysis/units/overlap.h"
#include "analysis/units/phase_intervals.h"
#include "base/text/format.h"
#include "base/text/text_writer.h"
#include "trace/names.h"
#include "traces/columns/numbers.h"

namespace llama::analysis {
namespace {

constexpr double kLeastColdStarts = 0.08;
constexpr double kLeastTransfer = 0.05;
constexpr double kLeastQueue = 0.05;
constexpr double kSlowerWorker = 3;
constexpr int64_t kLeastWorkerJobs = 5;
// Columns of an error: what went wrong stands at its end, behind a URL.
constexpr size_t kShownError = 100;

std::string Rate(double bytes_per_second) {
  return FormatFixed(bytes_per_second * 8 / 1e6, bytes_per_second * 8 < 10e6 ? 1 : 0) + " Mbit/s";
}

double RateOf(int64_t bytes, int64_t ns) {
  return ns > 0 ? AsDouble(bytes) / AsDouble(ns) * 1e9 : 0;
}

// Units that did not wait for the end of an upload: "; 24 units ran here meanwhile".
std::string RanMeanwhile(const RuleInput& in, Finding& finding) {
  const traces::FieldColumn& reason = in.trace.field(trace::field::kReason);
  uint64_t units = 0;
  for (const Unit& unit : in.analysis.units.all) {
    const auto why = reason.StringAt(unit.row);
    if (!unit.remote && why && in.trace.text(*why) == kSlowUpload) ++units;
  }
  if (units == 0) return {};
  finding.evidence.emplace_back("local_runs", static_cast<double>(units));
  return "; " + Plural(units, "unit", "units") + " ran here rather than wait for it";
}

void FindLinks(const RuleInput& in, FindingList& out) {
  const TransferModel& uploads = in.transfers.uploads;
  const double up_ns = in.ledger.Left(Bound::kUplink);
  if (out.IsWorth(up_ns, kLeastTransfer)) {
    const bool by_uploads = uploads.BoundByBytes();
    TransferModel model = uploads;
    if (!by_uploads) {
      model = in.transfers.calls;
      model.bytes = in.transfers.up_bytes;
      model.bytes_per_second = RateOf(in.transfers.up_bytes, in.transfers.sending_ns);
    }
    Finding& finding = out.Add("uplink", up_ns);
    finding.is_estimate = !model.is_measured;
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
    finding.text += RanMeanwhile(in, finding);
  }
  const double down_ns = in.ledger.Left(Bound::kDownlink);
  if (out.IsWorth(down_ns, kLeastTransfer)) {
    const TransferModel& model = in.transfers.calls;
    const double rate = RateOf(in.transfers.down_bytes, in.transfers.receiving_ns);
    Finding& finding = out.Add("downlink", down_ns);
    finding.is_estimate = !model.is_measured || !model.BoundByBytes();
    finding.text = "answers took " + out.Share(down_ns) +
                   " of the wall clock to come: " + FormatBytes(in.transfers.down_bytes) + " at " +
                   Rate(rate);
    finding.advice = "smaller outputs come sooner: less debug information, -gz, split DWARF";
    finding.evidence = {{"bytes", AsDouble(in.transfers.down_bytes)}, {"bytes_per_second", rate}};
  }
}

void FindStore(const RuleInput& in, FindingList& out) {
  const double cost_ns = in.ledger.Left(Bound::kStore);
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
                    (uploads.requests > 1 ? " each" : "") +
                    (uploads.unfinished > 0 ? " so far"
                     : uploads.is_measured  ? " besides their bytes"
                                            : "");
  }
  if (fetches > 0) {
    finding.text += std::string(uploads.requests > 0 ? "; " : "") + "workers fetched " +
                    Plural(static_cast<uint64_t>(fetches), "time", "times") + ", " +
                    FormatDuration(traces::WholeOf(mean_fetch_ns)) + (fetches > 1 ? " each" : "");
  }
  finding.advice =
      "use a bucket in the region of the functions, near the build host; 'llama doctor' measures "
      "its latency";
  finding.evidence = {{"uploads", AsDouble(uploads.requests)},
                      {"uploaded_bytes", AsDouble(uploads.bytes)},
                      {"request_ns", uploads.request_ns},
                      {"fetches", AsDouble(fetches)},
                      {"fetch_ns", mean_fetch_ns}};
  finding.text += RanMeanwhile(in, finding);
}

// More at a time hide it; that it is as long as it is only another place changes.
void FindTransit(const RuleInput& in, FindingList& out) {
  const double cost_ns = in.ledger.Left(Bound::kTransit);
  if (!out.IsWorth(cost_ns, kLeastTransfer) || in.transfers.calls_made == 0) return;
  const double calls = AsDouble(in.transfers.calls_made);
  const double way_ns = (AsDouble(in.transfers.there_ns) + AsDouble(in.transfers.back_ns)) / calls;
  double exec_ns = 0;
  uint64_t execs = 0;
  for (const traces::Row row : in.trace.rows_named(trace::span::kExec)) {
    if (!in.IsOfBuild(row)) continue;
    ++execs;
    exec_ns += AsDouble(in.trace.duration_ns()[row]);
  }
  if (execs > 0) exec_ns /= static_cast<double>(execs);
  Finding& finding = out.Add("transit", cost_ns);
  finding.text = "for " + out.Share(cost_ns) +
                 " of the wall clock invocations were on their way: " +
                 FormatDuration(traces::WholeOf(way_ns)) +
                 " each in the mean, there and back, for commands of " +
                 FormatDuration(traces::WholeOf(exec_ns));
  finding.advice =
      "more jobs at once hide it: a larger -j; functions in a region nearer to the build host "
      "shorten it";
  finding.evidence = {{"invocations", calls},
                      {"transit_ns", way_ns},
                      {"there_ns", AsDouble(in.transfers.there_ns) / calls},
                      {"back_ns", AsDouble(in.transfers.back_ns) / calls},
                      {"exec_ns", exec_ns}};
}

// What happens once, and then not until something is new.
void FindFill(const RuleInput& in, FindingList& out) {
  const double cost_ns = in.ledger.Left(Bound::kFill);
  if (!out.IsWorth(cost_ns, kLeastTransfer)) return;
  const traces::FieldColumn& cold = in.trace.field(trace::field::kColdStart);
  const traces::FieldColumn& fetched = in.trace.field(trace::field::kFetchedBytes);
  uint64_t workers = 0;
  double fetched_bytes = 0;
  for (const traces::Row row : in.trace.rows_named(trace::span::kInvoke)) {
    if (!in.IsOfBuild(row) || !cold.TrueAt(row)) continue;
    ++workers;
    fetched_bytes += AsDouble(NsAt(fetched, row));
  }
  const int64_t sent = in.transfers.uploads.bytes;
  Finding& finding = out.Add("fill", cost_ns);
  finding.text = "the first fill took " + out.Share(cost_ns) +
                 " of the wall clock: " + FormatBytes(sent) + " went to the store, and " +
                 Plural(workers, "new worker", "new workers") + " fetched " +
                 FormatBytes(traces::WholeOf(fetched_bytes));
  finding.advice = "compiler and headers are brought once: the next build finds them there";
  finding.evidence = {{"uploaded_bytes", AsDouble(sent)},
                      {"new_workers", static_cast<double>(workers)},
                      {"fetched_bytes", fetched_bytes}};
}

void FindColdStarts(const RuleInput& in, FindingList& out) {
  const double cost_ns = in.ledger.Left(Bound::kColdStarts);
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
                      {"invocations", static_cast<double>(invocations)}};
}

void FindQueue(const RuleInput& in, FindingList& out) {
  const double cost_ns = in.ledger.Left(Bound::kWorkers);
  if (!out.IsWorth(cost_ns, kLeastQueue)) return;
  uint64_t waited = 0;
  const traces::FieldColumn& queued = in.trace.field(trace::field::kQueuedNs);
  for (const traces::Row row : in.trace.rows_named(trace::span::kInvoke)) {
    if (in.IsOfBuild(row) && NsAt(queued, row) > 1'000'000) ++waited;
  }
  Overlap at_work(in.analysis.units.start_ns, in.analysis.units.end_ns);
  for (const traces::Row row : in.trace.rows_named(trace::span::kWorker)) {
    if (in.IsOfBuild(row)) at_work.Add(in.trace.start_ns()[row], in.trace.end_ns(row));
  }
  const uint64_t most = at_work.Measure().most;
  Finding& finding = out.Add("workers", cost_ns);
  finding.text = "function concurrency was the limit for " + out.Share(cost_ns) +
                 " of the wall clock: " + Plural(waited, "invocation", "invocations") +
                 " waited for a worker";
  if (most > 0) finding.text += ", with " + FormatCount(most) + " at work at most";
  finding.advice = in.transfers.embedded
                       ? "workers run on this machine, as many as it has processors: 'llama "
                         "bootstrap' sets up functions on AWS"
                       : "raise the account's or the function's concurrency (LLAMA_CONCURRENCY, "
                         "reserved concurrency), or use a smaller -j";
  finding.evidence = {{"waited", static_cast<double>(waited)},
                      {"most_at_work", static_cast<double>(most)}};
}

// Attempts that failed, the waits after them, and local runs because of it.
void FindFailures(const RuleInput& in, FindingList& out) {
  const traces::FieldColumn& error = in.trace.field(trace::field::kError);
  const traces::FieldColumn& reason = in.trace.field(trace::field::kReason);
  const traces::FieldColumn& retried = in.trace.field(trace::field::kRetriedNs);
  const traces::FieldColumn& requests = in.trace.field(trace::field::kRequests);
  const FailedSpans has_failed(in.trace);
  const traces::FieldColumn& awaited = in.trace.field(trace::field::kAwaitedBytes);
  const traces::FieldColumn& again = in.trace.field(trace::field::kRetriedRequests);
  uint64_t failed = 0;
  uint64_t repeated = 0;  // to the function
  uint64_t repeated_store = 0;
  double retried_ns = 0;
  uint64_t local = 0;
  std::map<std::string_view, uint64_t> errors;
  std::map<int64_t, std::pair<int64_t, int64_t>> left;  // by size: requests, time
  for (const std::string_view name :
       {trace::span::kInvoke, trace::span::kSync, trace::span::kMaterialise}) {
    const bool is_call = name == trace::span::kInvoke;
    for (const traces::Row row : in.trace.rows_named(name)) {
      if (!in.IsOfBuild(row)) continue;
      if (awaited.Has(row)) {
        // Several left one upload: it counts as the last of them saw it.
        auto& most = left[NsAt(awaited, row)];
        most = std::max(most, {NsAt(again, row), NsAt(retried, row)});
        continue;
      }
      if (again.Has(row)) {
        (is_call ? repeated : repeated_store) += static_cast<uint64_t>(NsAt(again, row));
      } else if (is_call && NsAt(retried, row) > 0) {
        repeated += static_cast<uint64_t>(std::max<int64_t>(1, NsAt(requests, row) - 1));
      }
      retried_ns += AsDouble(NsAt(retried, row));
      if (!has_failed.At(row)) continue;
      ++failed;
      if (const auto text = error.StringAt(row)) ++errors[in.trace.text(*text)];
    }
  }
  for (const auto& [size, retries] : left) {
    repeated_store += static_cast<uint64_t>(retries.first);
    retried_ns += AsDouble(retries.second);
  }
  BoundLedger::Times wanted = {};
  for (const Unit& unit : in.analysis.units.all) {
    const auto why = reason.StringAt(unit.row);
    if (unit.remote || !why || !IsFailureReason(in.trace.text(*why))) continue;
    ++local;
    for (const traces::Row child : in.trace.children(unit.row)) {
      const std::string_view name = in.trace.text(in.trace.name()[child]);
      if (name != trace::span::kLocal && name != trace::span::kQueue) continue;
      in.ledger.AddShare(in.trace.start_ns()[child], in.trace.end_ns(child), wanted);
    }
  }
  const double retries_ns = in.ledger.Left(Bound::kRetries);
  const double cost_ns = retries_ns + in.ledger.Available(wanted, kWorkBounds);
  if (failed + local + repeated + repeated_store == 0 || !out.IsWorth(cost_ns, kLeastShare)) return;
  in.ledger.Take(wanted, kWorkBounds);
  Finding& finding = out.Add("failures", cost_ns);
  finding.text = "failures of the cloud cost " + out.Share(cost_ns) + " of the wall clock: ";
  if (repeated > 0) {
    finding.text += Plural(repeated, "request", "requests") +
                    " to the function failed and had to be repeated, ";
  }
  if (repeated_store > 0) {
    finding.text += Plural(repeated_store, "request", "requests") +
                    " to the store failed and had to be repeated, ";
  }
  finding.text += Plural(failed, "attempt", "attempts") + " failed for good, " +
                  Plural(local, "unit", "units") + " ran here for that reason";
  if (!errors.empty()) {
    const auto most =
        std::max_element(errors.begin(), errors.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    finding.text += "; most often: " + CutFront(Printable(most->first), kShownError);
  }
  finding.advice = "'llama doctor' tries the store and the function, and says what is wrong";
  finding.evidence = {{"failed_attempts", static_cast<double>(failed)},
                      {"repeated_requests", static_cast<double>(repeated)},
                      {"repeated_store_requests", static_cast<double>(repeated_store)},
                      {"repeated_ns", retried_ns},
                      {"retries_ns", retries_ns},
                      {"local_runs", static_cast<double>(local)}};
}

struct WorkerTimes {
  traces::StringId id = 0;
  int64_t jobs = 0;
  double exec_ns = 0;
  BoundLedger::Times wanted = {};
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
      by_id.push_back({*id, 0, 0, {}});
    }
    WorkerTimes& worker = by_id[index[*id]];
    ++worker.jobs;
    const double ns = AsDouble(in.trace.duration_ns()[row]);
    worker.exec_ns += ns;
    in.ledger.AddShare(in.trace.start_ns()[row], in.trace.end_ns(row), worker.wanted);
    all_exec_ns += ns;
    ++all_jobs;
  }
  const WorkerTimes* slowest = nullptr;
  double slowest_ratio = 0;
  const auto cost_of = [&](const WorkerTimes& worker) {
    return in.ledger.Available(worker.wanted, kWorkBounds);
  };
  for (const WorkerTimes& worker : by_id) {
    if (worker.jobs < kLeastWorkerJobs || all_jobs - worker.jobs < kLeastWorkerJobs) continue;
    const double others = (all_exec_ns - worker.exec_ns) / AsDouble(all_jobs - worker.jobs);
    const double ratio = others > 0 ? worker.exec_ns / AsDouble(worker.jobs) / others : 0;
    if (ratio >= kSlowerWorker && (slowest == nullptr || cost_of(worker) > cost_of(*slowest))) {
      slowest = &worker;
      slowest_ratio = ratio;
    }
  }
  if (slowest == nullptr) return;
  // What it would have been at the others' pace is no one's fault.
  BoundLedger::Times wanted = slowest->wanted;
  for (double& ns : wanted) ns *= 1 - 1 / slowest_ratio;
  const double cost_ns = in.ledger.Available(wanted, kWorkBounds);
  if (!out.IsWorth(cost_ns, kLeastShare)) return;
  in.ledger.Take(wanted, kWorkBounds);
  Finding& finding = out.Add("slow-worker", cost_ns);
  finding.is_estimate = true;
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
  FindFailures(in, out);
  FindSlowWorker(in, out);
  FindLinks(in, out);
  FindStore(in, out);
  FindTransit(in, out);
  FindFill(in, out);
  FindColdStarts(in, out);
  FindQueue(in, out);
}

}  // namespace llama::analysis
