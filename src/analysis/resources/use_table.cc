#include "analysis/resources/use_table.h"

#include <algorithm>
#include <set>

#include "analysis/resources/cpu_users.h"
#include "analysis/resources/machine_samples.h"
#include "analysis/units/overlap.h"
#include "trace/names.h"
#include "traces/columns/numbers.h"
#include "traces/columns/percentile.h"

namespace llama::analysis {
namespace {

// What Lambda gives one vCPU for.
constexpr double kMemoryMbOfOneCpu = 1769;

UseRow Named(std::string_view resource, std::string_view title) {
  UseRow row;
  row.resource = resource;
  row.title = title;
  return row;
}

class UseMeter {
 public:
  UseMeter(const traces::Columns& trace, const Units& units, const JobSlots& slots)
      : trace_(trace), units_(units), slots_(slots), machine_(trace, units.build) {}

  std::vector<UseRow> Measure() const {
    return {Cpu(),   Memory(),    Disk(),  Link(true), Link(false),
            Store(), Functions(), Slots(), WorkerCpu()};
  }

 private:
  UseRow Cpu() const {
    UseRow row = Named("cpu", "local CPU");
    if (const auto busy = machine_.Busy(trace::field::kCpuUserNs, trace::field::kCpuSystemNs,
                                        trace::field::kCpuCores)) {
      row.utilisation = busy->mean;
      row.peak = busy->peak;
    }
    if (const auto waited = machine_.Busy(trace::field::kCpuPressureNs))
      row.saturation = waited->mean;
    if (const auto cores = machine_.Most(trace::field::kCpuCores)) {
      row.note = Plural(static_cast<uint64_t>(*cores), "core", "cores");
      row.figures.emplace_back("cores", *cores);
    }
    AddSum(row, "user_ns", trace::field::kCpuUserNs);
    AddSum(row, "system_ns", trace::field::kCpuSystemNs);
    AddSum(row, "iowait_ns", trace::field::kCpuIowaitNs);
    AddSum(row, "steal_ns", trace::field::kCpuStealNs);
    AddUsers(row);
    if (const auto most = machine_.Most(trace::field::kCpuRunnable)) {
      row.note += ", " + FormatCount(static_cast<uint64_t>(*most)) + " runnable at most";
      row.figures.emplace_back("max_runnable", *most);
    }
    return row;
  }

  void AddUsers(UseRow& row) const {
    const auto users = MeasureCpuUsers(trace_, units_.build);
    if (!users) return;
    for (const auto& [name, ns] : {std::pair<std::string_view, double>{"build_ns", users->build_ns},
                                   {"daemon_ns", users->daemon_ns},
                                   {"daemon_children_ns", users->children_ns},
                                   {"workers_ns", users->workers_ns},
                                   {"other_builds_ns", users->other_builds_ns},
                                   {"other_programs_ns", users->other_programs_ns}}) {
      row.figures.emplace_back(name, traces::WholeOf(ns));
    }
    const double others_ns = users->other_builds_ns + users->other_programs_ns;
    if (users->used_ns() > 0) {
      row.note += ", " + FormatShare(others_ns / users->used_ns()) + " of what was used by others";
    }
  }

  UseRow Memory() const {
    UseRow row = Named("memory", "memory");
    if (const auto used =
            machine_.Used(trace::field::kMemoryBytes, trace::field::kMemoryAvailableBytes)) {
      row.utilisation = used->mean;
      row.peak = used->peak;
    }
    if (const auto waited = machine_.Busy(trace::field::kMemoryPressureNs))
      row.saturation = waited->mean;
    if (const auto bytes = machine_.Most(trace::field::kMemoryBytes)) {
      row.note = FormatBytes(*bytes);
      row.figures.emplace_back("bytes", *bytes);
    }
    return row;
  }

  UseRow Disk() const {
    UseRow row = Named("disk", "disk");
    if (const auto busy = machine_.Busy(trace::field::kDiskBusyNs)) {
      row.utilisation = busy->mean;
      row.peak = busy->peak;
    }
    if (const auto waited = machine_.Busy(trace::field::kIoPressureNs))
      row.saturation = waited->mean;
    const auto read = machine_.Sum(trace::field::kDiskReadBytes);
    const auto written = machine_.Sum(trace::field::kDiskWrittenBytes);
    if (read && written) {
      row.note = FormatBytes(*read) + " read, " + FormatBytes(*written) + " written";
      row.figures.emplace_back("read_bytes", *read);
      row.figures.emplace_back("written_bytes", *written);
    }
    return row;
  }

  // The machine counts what went over its network; the spans know only what is llama's. Functions
  // and a store on the same machine are beyond a network.
  UseRow Link(bool up) const {
    UseRow row = Named(up ? "uplink" : "downlink", up ? "uplink" : "downlink");
    if (RunsHere()) {
      row.note = "not used: the functions run on this machine";
      return row;
    }
    const int64_t bytes = up ? BytesUp() : BytesDown();
    const std::string_view field =
        up ? trace::field::kNetworkSentBytes : trace::field::kNetworkReceivedBytes;
    const auto rate = machine_.Rate(field);
    const int64_t counted = machine_.Sum(field).value_or(0);
    row.figures.emplace_back("bytes", bytes);
    if (rate && counted >= bytes && rate->peak > 0) {
      row.utilisation = rate->mean / rate->peak;
      row.at_most = true;
      row.note = Rate(rate->mean) + ", " + Rate(rate->peak) + " at most";
      row.figures.emplace_back("machine_bytes", counted);
      row.figures.emplace_back("bytes_per_second", traces::WholeOf(rate->mean));
      row.figures.emplace_back("max_bytes_per_second", traces::WholeOf(rate->peak));
    } else if (units_.wall_ns() > 0 && bytes > 0) {
      row.note = Rate(static_cast<double>(bytes) / static_cast<double>(units_.wall_ns()) * 1e9);
    }
    if (up) row.saturation = OfWall(Uploads().Measure().two_ns);
    return row;
  }

  // Of a step: whether it failed, and requests of it that did and were made again.
  uint64_t ErrorsOf(traces::Row span) const {
    const auto again = traces::CountAt(trace_.field(trace::field::kRetriedRequests), span);
    return static_cast<uint64_t>(again.value_or(0)) +
           (trace_.field(trace::field::kError).Has(span) ? 1 : 0);
  }

  UseRow Store() const {
    UseRow row = Named("store", "store");
    Overlap busy = Uploads();
    const traces::FieldColumn& fetched = trace_.field(trace::field::kFetchedObjects);
    std::vector<int64_t> fetches;
    uint64_t errors = 0;
    int64_t gets = 0;
    for (const traces::Row span : trace_.rows_named(trace::span::kMaterialise)) {
      errors += ErrorsOf(span);
      const int64_t objects = traces::CountAt(fetched, span).value_or(0);
      gets = traces::AddUp(gets, objects);
      if (objects == 0) continue;
      busy.Add(trace_.start_ns()[span], trace_.end_ns(span));
      fetches.push_back(trace_.duration_ns()[span]);
    }
    const traces::FieldColumn& requests = trace_.field(trace::field::kStoreRequests);
    const traces::FieldColumn& uploaded = trace_.field(trace::field::kUploadedObjects);
    int64_t puts = 0;
    for (const traces::Row span : trace_.rows_named(trace::span::kSync)) {
      errors += ErrorsOf(span);
      puts = traces::AddUp(puts, std::max(traces::CountAt(requests, span).value_or(0),
                                          traces::CountAt(uploaded, span).value_or(0)));
    }
    if (trace_.rows_named(trace::span::kSync).empty() && fetches.empty()) return row;
    row.utilisation = OfWall(busy.Measure().one_ns);
    row.errors = errors;
    row.note = Plural(static_cast<uint64_t>(puts), "upload", "uploads") + ", " +
               Plural(static_cast<uint64_t>(gets), "download", "downloads");
    row.figures = {{"puts", puts}, {"gets", gets}};
    if (!fetches.empty()) {
      const int64_t p50_ns = traces::Percentile(fetches, 50);
      row.note += ", " + FormatDuration(p50_ns) + " a job (p50)";
      row.figures.emplace_back("fetch_p50_ns", p50_ns);
    }
    return row;
  }

  UseRow Functions() const {
    UseRow row = Named("functions", "functions");
    const auto invocations = trace_.rows_named(trace::span::kInvoke);
    if (invocations.empty()) return row;
    const traces::FieldColumn& queued = trace_.field(trace::field::kQueuedNs);
    Overlap running(units_.start_ns, units_.end_ns);
    Overlap waiting(units_.start_ns, units_.end_ns);
    running.Reserve(invocations.size());
    uint64_t errors = 0;
    for (const traces::Row span : invocations) {
      const int64_t start_ns = trace_.start_ns()[span];
      const int64_t queued_ns =
          std::min(traces::CountAt(queued, span).value_or(0), trace_.duration_ns()[span]);
      waiting.Add(start_ns, start_ns + queued_ns);
      running.Add(start_ns + queued_ns, trace_.end_ns(span));
      errors += ErrorsOf(span);
    }
    OverlapTimes times = running.Measure();
    // What was in flight beyond the workers that there were was on its way.
    if (const uint64_t workers = WorkersSeen(); workers > 0) {
      times.most = std::min(times.most, workers);
      times.mean = std::min(times.mean, static_cast<double>(times.most));
    }
    if (times.most > 0) row.utilisation = times.mean / static_cast<double>(times.most);
    row.at_most = true;
    row.saturation = OfWall(waiting.Measure().one_ns);
    row.errors = errors;
    row.note = FormatFixed(times.mean, 1) + " at once, " + FormatCount(times.most) + " at most";
    row.figures = {{"max_in_flight", static_cast<int64_t>(times.most)},
                   {"invocations", static_cast<int64_t>(invocations.size())}};
    return row;
  }

  // How many did the invocations; 0 if one of them does not say.
  uint64_t WorkersSeen() const {
    const traces::FieldColumn& id = trace_.field(trace::field::kWorkerId);
    const traces::FieldColumn& error = trace_.field(trace::field::kError);
    std::set<traces::StringId> workers;
    for (const traces::Row span : trace_.rows_named(trace::span::kInvoke)) {
      const auto worker = id.StringAt(span);
      if (worker) {
        workers.insert(*worker);
      } else if (!error.Has(span)) {
        return 0;
      }
    }
    return workers.size();
  }

  UseRow Slots() const {
    UseRow row = Named("slots", "job slots");
    if (units_.all.empty()) return row;
    const traces::FieldColumn& abandoned = trace_.field(trace::field::kAbandoned);
    uint64_t errors = 0;
    for (const Unit& unit : units_.all) errors += abandoned.TrueAt(unit.row) ? 1 : 0;
    row.errors = errors;
    double busy = 0;
    int64_t full_ns = 0;
    for (size_t i = 0; i + 1 < units_.steps.size(); ++i) {
      const int64_t length_ns = units_.steps[i + 1].time_ns - units_.steps[i].time_ns;
      busy += static_cast<double>(units_.steps[i].running) * static_cast<double>(length_ns);
      if (static_cast<int64_t>(units_.steps[i].running) >= slots_.count) full_ns += length_ns;
    }
    row.figures.emplace_back("max_running", units_.peak);
    if (slots_.count == kUnlimitedJobs || units_.wall_ns() == 0) {
      row.note = "no limit, " + FormatCount(units_.peak) + " in use at most";
      return row;
    }
    const double could = static_cast<double>(slots_.count) * static_cast<double>(units_.wall_ns());
    row.utilisation = std::min(1.0, busy / could);
    row.at_most = !slots_.known;
    row.saturation = OfWall(full_ns);
    // A job may be two compilers, one of which writes what the other reads.
    const double mean = busy / static_cast<double>(units_.wall_ns());
    row.note = FormatFixed(mean, 1) +
               (mean > static_cast<double>(slots_.count) ? " units in " : " of ") +
               FormatCount(static_cast<uint64_t>(slots_.count)) +
               (slots_.known ? "" : ", as many as were seen");
    row.figures.emplace_back("slots", slots_.count);
    return row;
  }

  UseRow WorkerCpu() const {
    UseRow row = Named("worker_cpu", "worker CPU");
    const traces::FieldColumn& user = trace_.field(trace::field::kUserNs);
    const traces::FieldColumn& system = trace_.field(trace::field::kSystemNs);
    const traces::FieldColumn& rss = trace_.field(trace::field::kMaxRssBytes);
    const traces::FieldColumn& memory = trace_.field(trace::field::kMemoryMb);
    double cpu = 0;
    double could = 0;
    int64_t cpu_ns = 0;
    int64_t most_rss = 0;
    for (const traces::Row span : trace_.rows_named(trace::span::kExec)) {
      const auto user_ns = traces::CountAt(user, span);
      const auto system_ns = traces::CountAt(system, span);
      if (!user_ns || !system_ns) continue;
      const int64_t used_ns = traces::AddUp(*user_ns, *system_ns);
      cpu_ns = traces::AddUp(cpu_ns, used_ns);
      cpu += static_cast<double>(used_ns);
      could += static_cast<double>(trace_.duration_ns()[span]) * CpusOf(memory, span);
      most_rss = std::max(most_rss, traces::CountAt(rss, span).value_or(0));
    }
    if (could == 0) return row;
    row.utilisation = std::min(1.0, cpu / could);
    row.errors = WorkerErrors();
    row.note =
        FormatDuration(cpu_ns) + " of CPU; a job takes " + FormatBytes(most_rss) + " at most";
    row.figures = {{"cpu_ns", cpu_ns}, {"max_rss_bytes", most_rss}};
    return row;
  }

  // The processors that the function of an `exec` span has: what its memory buys.
  double CpusOf(const traces::FieldColumn& memory, traces::Row exec) const {
    traces::Row span = exec;
    for (int up = 0; up < 2 && span != traces::kNoRow; ++up) span = trace_.parent()[span];
    const auto mb = span == traces::kNoRow ? std::nullopt : traces::CountAt(memory, span);
    if (!mb || *mb == 0) return 1;
    return static_cast<double>(*mb) / kMemoryMbOfOneCpu;
  }

  uint64_t WorkerErrors() const {
    const traces::FieldColumn& signal = trace_.field(trace::field::kSignal);
    const traces::FieldColumn& error = trace_.field(trace::field::kError);
    uint64_t errors = 0;
    for (const traces::Row span : trace_.rows_named(trace::span::kExec))
      errors += signal.Has(span) ? 1 : 0;
    for (const traces::Row span : trace_.rows_named(trace::span::kWorker))
      errors += error.Has(span) ? 1 : 0;
    return errors;
  }

  Overlap Uploads() const {
    const traces::FieldColumn& bytes = trace_.field(trace::field::kUploadedBytes);
    const traces::FieldColumn& requests = trace_.field(trace::field::kStoreRequests);
    Overlap uploads(units_.start_ns, units_.end_ns);
    for (const traces::Row span : trace_.rows_named(trace::span::kSync)) {
      if (traces::CountAt(bytes, span).value_or(0) == 0 &&
          traces::CountAt(requests, span).value_or(0) == 0) {
        continue;
      }
      uploads.Add(trace_.start_ns()[span], trace_.end_ns(span));
    }
    return uploads;
  }

  bool RunsHere() const {
    const traces::FieldColumn& function = trace_.field(trace::field::kFunction);
    const auto local = trace_.strings().Find(trace::field::kEmbeddedFunction);
    bool any = false;
    for (const traces::Row span : trace_.rows_named(trace::span::kInvoke)) {
      if (!local || function.StringAt(span) != local) return false;
      any = true;
    }
    return any;
  }

  int64_t BytesUp() const {
    return SumOf(trace::span::kSync, trace::field::kUploadedBytes,
                 SumOf(trace::span::kInvoke, trace::field::kPayloadBytes, 0));
  }
  int64_t BytesDown() const { return SumOf(trace::span::kInvoke, trace::field::kAnswerBytes, 0); }
  int64_t SumOf(std::string_view name, std::string_view field, int64_t sum) const {
    const traces::FieldColumn& column = trace_.field(field);
    for (const traces::Row span : trace_.rows_named(name)) {
      sum = traces::AddUp(sum, traces::CountAt(column, span).value_or(0));
    }
    return sum;
  }

  void AddSum(UseRow& row, std::string_view key, std::string_view field) const {
    if (const auto sum = machine_.Sum(field)) row.figures.emplace_back(key, *sum);
  }
  std::optional<double> OfWall(int64_t ns) const {
    if (units_.wall_ns() <= 0) return std::nullopt;
    return static_cast<double>(ns) / static_cast<double>(units_.wall_ns());
  }
  static std::string Rate(double bytes_per_second) {
    return FormatBytes(traces::WholeOf(bytes_per_second)) + "/s";
  }

  const traces::Columns& trace_;
  const Units& units_;
  const JobSlots& slots_;
  const MachineSamples machine_;
};

}  // namespace

std::vector<UseRow> MeasureUse(const traces::Columns& trace, const Units& units,
                               const JobSlots& slots) {
  return UseMeter(trace, units, slots).Measure();
}

}  // namespace llama::analysis
