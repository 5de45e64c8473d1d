#include "daemon/record/machine.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "base/file.h"
#include "trace/names.h"

namespace llama::daemon {
namespace {

constexpr uint64_t kMaxProcBytes = 1 << 20;
constexpr int64_t kMaxIntervalNs = 60'000'000'000;
constexpr int64_t kSectorBytes = 512;  // of /proc/diskstats, whatever the disk's own is

using Values = std::vector<std::pair<std::string, int64_t>>;

std::vector<std::string_view> Split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> words;
  while (true) {
    const size_t begin = text.find_first_not_of(separators);
    if (begin == std::string_view::npos) return words;
    text.remove_prefix(begin);
    const size_t end = std::min(text.find_first_of(separators), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

// What is no number counts as 0: a field that this kernel writes differently.
int64_t Number(std::string_view text) {
  int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

void ReadStat(const std::string& text, MachineReading& out) {
  const int64_t tick_ns = 1'000'000'000 / std::max(1L, sysconf(_SC_CLK_TCK));
  int64_t cores = 0;
  for (const std::string_view line : Split(text, "\n")) {
    const std::vector<std::string_view> words = Split(line, " ");
    if (words[0] == "cpu" && words.size() >= 9) {
      // user, nice, system, idle, iowait, irq, softirq, steal: proc(5).
      out.counters.emplace_back(trace::field::kCpuUserNs,
                                (Number(words[1]) + Number(words[2])) * tick_ns);
      out.counters.emplace_back(trace::field::kCpuSystemNs,
                                (Number(words[3]) + Number(words[6]) + Number(words[7])) * tick_ns);
      out.counters.emplace_back(trace::field::kCpuIowaitNs, Number(words[5]) * tick_ns);
      out.counters.emplace_back(trace::field::kCpuStealNs, Number(words[8]) * tick_ns);
    } else if (words[0].starts_with("cpu")) {
      ++cores;
    } else if (words[0] == "procs_running" && words.size() >= 2) {
      out.gauges.emplace_back(trace::field::kCpuRunnable, Number(words[1]));
    }
  }
  if (cores > 0) out.gauges.emplace_back(trace::field::kCpuCores, cores);
}

void ReadMemory(const std::string& text, MachineReading& out) {
  for (const std::string_view line : Split(text, "\n")) {
    const std::vector<std::string_view> words = Split(line, " ");
    if (words.size() < 2) continue;
    if (words[0] == "MemTotal:")
      out.gauges.emplace_back(trace::field::kMemoryBytes, Number(words[1]) * 1024);
    if (words[0] == "MemAvailable:") {
      out.gauges.emplace_back(trace::field::kMemoryAvailableBytes, Number(words[1]) * 1024);
    }
  }
}

// "some avg10=0.00 avg60=0.00 avg300=0.00 total=12345": microseconds in which something waited.
void ReadPressure(const std::string& text, std::string_view field, MachineReading& out) {
  for (const std::string_view line : Split(text, "\n")) {
    if (!line.starts_with("some ")) continue;
    const size_t total = line.find("total=");
    if (total == std::string_view::npos) continue;
    out.counters.emplace_back(field, Number(line.substr(total + 6)) * 1000);
  }
}

bool IsWholeDisk(std::string_view name) {
  // Partitions, loops and RAM disks would count the same bytes twice, or none that matter.
  if (name.starts_with("loop") || name.starts_with("ram") || name.starts_with("dm-")) return false;
  if (name.starts_with("nvme") || name.starts_with("mmcblk")) {
    return name.find('p', name.starts_with("nvme") ? 4 : 6) == std::string_view::npos;
  }
  return !name.empty() && (name.back() < '0' || name.back() > '9');
}

void ReadDisks(const std::string& text, MachineReading& out) {
  int64_t read = 0;
  int64_t written = 0;
  int64_t busy_ms = 0;
  for (const std::string_view line : Split(text, "\n")) {
    const std::vector<std::string_view> words = Split(line, " ");
    if (words.size() < 13 || !IsWholeDisk(words[2])) continue;
    read += Number(words[5]) * kSectorBytes;
    written += Number(words[9]) * kSectorBytes;
    busy_ms = std::max(busy_ms, Number(words[12]));
  }
  out.counters.emplace_back(trace::field::kDiskReadBytes, read);
  out.counters.emplace_back(trace::field::kDiskWrittenBytes, written);
  out.counters.emplace_back(trace::field::kDiskBusyNs, busy_ms * 1'000'000);
}

void ReadNetwork(const std::string& text, MachineReading& out) {
  int64_t received = 0;
  int64_t sent = 0;
  for (const std::string_view line : Split(text, "\n")) {
    const std::vector<std::string_view> words = Split(line, " :");
    if (words.size() < 17 || words[0] == "lo" || words[0] == "Inter-|") continue;
    received += Number(words[1]);
    sent += Number(words[9]);
  }
  out.counters.emplace_back(trace::field::kNetworkReceivedBytes, received);
  out.counters.emplace_back(trace::field::kNetworkSentBytes, sent);
}

// Of this process: the client's own share.
void ReadOwn(const std::string& statm, MachineReading& out) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto ns = [](const timeval& t) { return t.tv_sec * 1'000'000'000 + t.tv_usec * 1000; };
  out.counters.emplace_back(trace::field::kDaemonUserNs, ns(usage.ru_utime));
  out.counters.emplace_back(trace::field::kDaemonSystemNs, ns(usage.ru_stime));
  const std::vector<std::string_view> words = Split(statm, " \n");
  if (words.size() >= 2) {
    out.gauges.emplace_back(trace::field::kDaemonResidentBytes,
                            Number(words[1]) * sysconf(_SC_PAGESIZE));
  }
}

bool IsGauge(std::string_view field) {
  for (const std::string_view gauge :
       {trace::field::kCpuRunnable, trace::field::kCpuCores, trace::field::kMemoryBytes,
        trace::field::kMemoryAvailableBytes, trace::field::kDaemonResidentBytes}) {
    if (field == gauge) return true;
  }
  return false;
}

}  // namespace

std::optional<trace::Span> CutSample(const trace::Span& sample, int64_t begin_ns, int64_t end_ns) {
  begin_ns = std::max(begin_ns, sample.start_ns);
  end_ns = std::min(end_ns, sample.end_ns());
  if (begin_ns >= end_ns) return std::nullopt;
  trace::Span part = sample;
  part.start_ns = begin_ns;
  part.duration_ns = end_ns - begin_ns;
  if (part.duration_ns == sample.duration_ns) return part;
  const double share =
      static_cast<double>(part.duration_ns) / static_cast<double>(sample.duration_ns);
  for (auto& [name, value] : part.fields) {
    auto* const count = std::get_if<int64_t>(&value);
    if (count != nullptr && !IsGauge(name)) {
      *count = static_cast<int64_t>(static_cast<double>(*count) * share);
    }
  }
  return part;
}

MachineReading ReadMachine(const std::string& proc, const Clock& clock) {
  MachineReading out;
  out.time_ns = clock.NowNs();
  out.monotonic_ns = clock.MonotonicNs();
  const auto read = [&](const char* name, const auto& parse) {
    if (const Result<std::string> text = ReadFile(JoinPath(proc, name), kMaxProcBytes)) {
      parse(*text, out);
    }
  };
  read("stat", ReadStat);
  read("meminfo", ReadMemory);
  const std::pair<const char*, std::string_view> pressures[] = {
      {"pressure/cpu", trace::field::kCpuPressureNs},
      {"pressure/io", trace::field::kIoPressureNs},
      {"pressure/memory", trace::field::kMemoryPressureNs}};
  for (const auto& [file, field] : pressures) {
    read(file, [&counter = field](const std::string& text, MachineReading& reading) {
      ReadPressure(text, counter, reading);
    });
  }
  read("diskstats", ReadDisks);
  read("net/dev", ReadNetwork);
  read("self/statm", ReadOwn);
  return out;
}

std::optional<trace::Span> Machine::Sample() {
  MachineReading now = ReadMachine(proc_, clock_);
  std::optional<MachineReading> last = std::exchange(last_, now);
  if (!last) return std::nullopt;
  const int64_t interval_ns = now.monotonic_ns - last->monotonic_ns;
  if (interval_ns <= 0 || interval_ns > kMaxIntervalNs) return std::nullopt;
  trace::Span span;
  span.name = trace::span::kMachine;
  span.start_ns = last->time_ns;
  span.duration_ns = interval_ns;
  for (const auto& [name, value] : now.counters) {
    const auto before =
        std::find_if(last->counters.begin(), last->counters.end(),
                     [&counter = name](const auto& entry) { return entry.first == counter; });
    // A counter that fell was reset: a disk or an interface has gone.
    if (before != last->counters.end() && value >= before->second) {
      span.Set(name, value - before->second);
    }
  }
  for (const auto& [name, value] : now.gauges) span.Set(name, value);
  return span;
}

}  // namespace llama::daemon
