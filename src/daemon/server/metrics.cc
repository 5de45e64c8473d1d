#include "daemon/server/metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "base/file.h"

namespace llama::daemon {
namespace {

struct Label {
  std::string_view name;
  std::string_view value;
};

// "name{label="value"} number": each metric with its HELP and TYPE before its first sample.
class Exposition {
 public:
  // Of the metric that Counter or Gauge began.
  class Samples {
   public:
    Samples(std::string& out, std::string_view name) : out_(out), name_(name) {}
    Samples& Add(std::string_view value, std::initializer_list<Label> labels = {}) {
      out_.append(name_);
      char separator = '{';
      for (const Label& label : labels) {
        out_ += separator;
        out_.append(label.name).append("=\"");
        AppendEscaped(label.value);
        out_ += '"';
        separator = ',';
      }
      if (labels.size() > 0) out_ += '}';
      out_.append(" ").append(value).append("\n");
      return *this;
    }
    Samples& Add(uint64_t value, std::initializer_list<Label> labels = {}) {
      return Add(std::to_string(value), labels);
    }
    Samples& AddReal(double value, std::initializer_list<Label> labels = {}) {
      char text[32];
      const auto end = std::to_chars(text, text + sizeof text, value);
      return Add(std::string_view(text, static_cast<size_t>(end.ptr - text)), labels);
    }
    Samples& AddSeconds(int64_t ns, std::initializer_list<Label> labels = {}) {
      return AddReal(static_cast<double>(ns) / 1e9, labels);
    }

   private:
    void AppendEscaped(std::string_view value) {
      for (const char c : value) {
        if (c == '\n') {
          out_ += "\\n";
          continue;
        }
        if (c == '\\' || c == '"') out_ += '\\';
        out_ += c;
      }
    }

    std::string& out_;
    const std::string_view name_;
  };

  Samples Counter(std::string_view name, std::string_view help) {
    return Begin(name, help, "counter");
  }
  Samples Gauge(std::string_view name, std::string_view help) { return Begin(name, help, "gauge"); }

  std::string Take() { return std::move(out_); }

 private:
  // Our help texts have nothing to escape.
  Samples Begin(std::string_view name, std::string_view help, std::string_view type) {
    out_.append("# HELP ").append(name).append(" ").append(help).append("\n");
    out_.append("# TYPE ").append(name).append(" ").append(type).append("\n");
    return {out_, name};
  }

  std::string out_;
};

void AddDaemon(const Metrics& metrics, Exposition& out) {
  const session::Status& status = metrics.status;
  out.Gauge("llama_daemon_info", "The daemon's build, and the cloud that it works with; always 1.")
      .Add(1, {{"build_id", status.build_id}, {"cloud", status.backend}});
  out.Gauge("llama_daemon_start_time_seconds", "When the daemon started, since the Unix epoch.")
      .AddSeconds(status.start_ns);
  out.Gauge("llama_daemon_up_seconds", "For how long it has been running.")
      .AddSeconds(metrics.up_ns);
  out.Counter("llama_daemon_cpu_seconds_total", "CPU time of the daemon itself.")
      .AddSeconds(metrics.user_ns, {{"mode", "user"}})
      .AddSeconds(metrics.system_ns, {{"mode", "system"}});
  out.Gauge("llama_daemon_resident_memory_bytes", "Memory of the daemon itself.")
      .Add(static_cast<uint64_t>(metrics.resident_bytes));
  out.Gauge("llama_daemon_connections", "Connections to the daemon, this one included.")
      .Add(status.connections);
  out.Gauge("llama_builds_running", "Runs of 'llama build' that have begun and not ended.")
      .Add(metrics.active_builds);
  out.Gauge("llama_cloud_trouble", "1 while nothing is sent to the cloud since it is in trouble.")
      .Add(status.outage.empty() ? 0 : 1);
}

void AddJobs(const Metrics& metrics, Exposition& out) {
  const session::Counters& counters = metrics.status.counters;
  Exposition::Samples ended = out.Counter(
      "llama_jobs_total", "Compiles and commands that have ended, by how and why not remotely.");
  for (const EndedJobs& jobs : metrics.ended) {
    ended.Add(jobs.count, {{"outcome", jobs.outcome}, {"reason", jobs.reason}});
  }
  out.Gauge("llama_jobs_running", "Jobs under way: in the cloud or on the way there, or here.")
      .Add(counters.remote_running, {{"where", "remote"}})
      .Add(counters.local_running, {{"where", "local"}});
  out.Gauge("llama_queue_length",
            "What waits: jobs for a local slot, spans and builds to be recorded.")
      .Add(metrics.waiting_slots, {{"queue", "local_slot"}})
      .Add(metrics.waiting_records, {{"queue", "record"}});
  out.Gauge("llama_local_slots", "How many jobs may run on this machine at once.")
      .Add(static_cast<uint64_t>(metrics.status.local_slots));
  out.Gauge("llama_local_slots_held", "How many do.").Add(metrics.held_slots);
  out.Gauge("llama_scans_running", "Searches for the inputs of a job that use a core now.")
      .Add(metrics.scans);
  out.Gauge("llama_job_threads_busy", "Jobs that have a thread of the daemon's, or wait for one.")
      .Add(metrics.busy_threads);
}

void AddCloud(const Metrics& metrics, Exposition& out) {
  const session::Counters& counters = metrics.status.counters;
  out.Gauge("llama_workers", "Workers of the embedded cloud.")
      .Add(static_cast<uint64_t>(metrics.status.busy_workers), {{"state", "busy"}})
      .Add(static_cast<uint64_t>(metrics.status.workers - metrics.status.busy_workers),
           {{"state", "idle"}});
  out.Gauge("llama_layers", "Layers of files that the store holds for jobs.")
      .Add(metrics.status.layers);
  out.Counter("llama_cold_starts_total", "Invocations that a worker had to be started for.")
      .Add(counters.cold_starts);
  out.Counter("llama_retries_total", "Invocations that were tried again.").Add(counters.retries);
  out.Counter("llama_sent_bytes_total", "Payloads of invocations, and objects put into the store.")
      .Add(counters.bytes_up);
  out.Counter("llama_received_bytes_total", "Answers, and objects that workers got from the store.")
      .Add(counters.bytes_down);
  out.Counter("llama_store_requests_total", "Requests to the store, the workers' included.")
      .Add(counters.store_requests);
  out.Counter("llama_replayed_total", "Jobs that were answered from a recording.")
      .Add(counters.replayed);
  out.Counter("llama_cost_usd_total", "US dollars, at AWS's published prices.")
      .AddReal(counters.cost_usd);
  out.Counter("llama_remote_cpu_seconds_total", "CPU time of commands in functions.")
      .AddSeconds(metrics.remote_user_ns, {{"mode", "user"}})
      .AddSeconds(metrics.remote_system_ns, {{"mode", "system"}});
}

int64_t Nanoseconds(const timeval& time) {
  return int64_t{time.tv_sec} * 1'000'000'000 + int64_t{time.tv_usec} * 1000;
}

}  // namespace

void FillProcess(Metrics& metrics) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  metrics.user_ns = Nanoseconds(usage.ru_utime);
  metrics.system_ns = Nanoseconds(usage.ru_stime);
  const auto statm = ReadFile("/proc/self/statm", 4096);
  if (!statm) return;
  const size_t resident = statm->find(' ') + 1;
  int64_t pages = 0;
  std::from_chars(statm->data() + resident, statm->data() + statm->size(), pages);
  metrics.resident_bytes = pages * sysconf(_SC_PAGESIZE);
}

std::string FormatMetrics(const Metrics& metrics) {
  Exposition out;
  AddDaemon(metrics, out);
  AddJobs(metrics, out);
  AddCloud(metrics, out);
  return out.Take();
}

}  // namespace llama::daemon
