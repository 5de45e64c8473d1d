#include "exports/spans/counters.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>

#include "exports/spans/lanes.h"
#include "trace/names.h"
#include "traces/columns/rows_by_build.h"

namespace llama::exports {
namespace {

using traces::Columns;
using traces::kNoRow;
using traces::RowsByBuild;

constexpr uint64_t kMostPoints = 10'000;

// A change of how many of a series are under way.
struct Change {
  int64_t time_ns = 0;
  uint32_t series = 0;
  int32_t by = 0;
};

// Times may be as far apart as int64 allows.
uint64_t Apart(int64_t earlier_ns, int64_t later_ns) {
  return static_cast<uint64_t>(later_ns) - static_cast<uint64_t>(earlier_ns);
}

std::vector<CounterPoint> CurveOf(std::vector<Change>& changes, size_t series) {
  std::vector<CounterPoint> points;
  if (changes.empty()) return points;
  // What ends goes before what begins, so that one after the other is never two at a time.
  std::sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) {
    return a.time_ns != b.time_ns ? a.time_ns < b.time_ns : a.by < b.by;
  });
  const uint64_t extent = Apart(changes.front().time_ns, changes.back().time_ns);
  const uint64_t step = std::max<uint64_t>(1, extent / kMostPoints);
  std::vector<double> now(series);
  for (size_t i = 0; i < changes.size();) {
    const int64_t begin_ns = changes[i].time_ns;
    std::vector<double> highest(series, -1);
    while (i < changes.size() && Apart(begin_ns, changes[i].time_ns) < step) {
      const int64_t time_ns = changes[i].time_ns;
      for (; i < changes.size() && changes[i].time_ns == time_ns; ++i) {
        now[changes[i].series] += changes[i].by;
      }
      for (size_t s = 0; s < series; ++s) highest[s] = std::max(highest[s], now[s]);
    }
    points.push_back({begin_ns, std::move(highest)});
  }
  if (points.back().values != now) points.push_back({changes.back().time_ns, std::move(now)});
  return points;
}

struct InFlightSeries {
  std::string_view label;
  std::string_view span;
};
constexpr std::array<InFlightSeries, 3> kInFlight = {{{"remote", trace::span::kInvoke},
                                                      {"local", trace::span::kLocal},
                                                      {"waiting", trace::span::kQueue}}};

RowsByBuild SelectedNamed(const Selection& selection, std::string_view span) {
  std::vector<Row> rows;
  for (const Row row : selection.columns().rows_named(span)) {
    if (selection.has(row)) rows.push_back(row);
  }
  return {selection.columns(), std::move(rows)};
}

// `rows` of each series of kInFlight.
Counter CountInFlight(const Columns& columns, uint32_t build, std::span<const RowsByBuild> rows) {
  Counter counter{build, "in flight", {}, {}};
  std::vector<Change> changes;
  for (size_t i = 0; i < kInFlight.size(); ++i) {
    const size_t before = changes.size();
    const auto series = static_cast<uint32_t>(counter.series.size());
    for (const Row row : rows[i].of(build)) {
      if (columns.duration_ns()[row] == 0) continue;
      changes.push_back({columns.start_ns()[row], series, 1});
      changes.push_back({columns.end_ns(row), series, -1});
    }
    if (changes.size() > before) counter.series.emplace_back(kInFlight[i].label);
  }
  counter.points = CurveOf(changes, counter.series.size());
  return counter;
}

RowsByBuild JobsOf(const Selection& selection) {
  const Columns& columns = selection.columns();
  std::vector<Row> rows;
  for (const SelectedTrace& trace : selection.traces()) {
    for (const Row row : selection.rows_of(trace)) {
      if (columns.parent()[row] != kNoRow || columns.duration_ns()[row] == 0) continue;
      if (columns.text(columns.name()[row]) != trace::span::kBuild) rows.push_back(row);
    }
  }
  return {columns, std::move(rows)};
}

Counter CountJobs(const Columns& columns, uint32_t build, std::span<const Row> jobs) {
  Counter counter{build, "jobs", {"jobs"}, {}};
  std::vector<Change> changes;
  for (const Row row : jobs) {
    changes.push_back({columns.start_ns()[row], 0, 1});
    changes.push_back({columns.end_ns(row), 0, -1});
  }
  counter.points = CurveOf(changes, 1);
  return counter;
}

// What a sample says of its interval is a rate; what it says of its end is as it is.
enum class Sampled : uint8_t { kRate, kAtEnd };

struct SampledSeries {
  std::string_view counter;
  std::string_view label;
  std::string_view field;
  Sampled sampled;
  double scale;  // of the field's number; of rates: of (number ÷ nanoseconds)
};

// Nanoseconds of processor time a nanosecond are processors; bytes a nanosecond times 1000 are
// MB/s.
constexpr auto kSampled = std::to_array<SampledSeries>({
    {"cpu (processors)", "user", trace::field::kCpuUserNs, Sampled::kRate, 1},
    {"cpu (processors)", "system", trace::field::kCpuSystemNs, Sampled::kRate, 1},
    {"cpu (processors)", "iowait", trace::field::kCpuIowaitNs, Sampled::kRate, 1},
    {"cpu (processors)", "steal", trace::field::kCpuStealNs, Sampled::kRate, 1},
    {"pressure (%)", "cpu", trace::field::kCpuPressureNs, Sampled::kRate, 100},
    {"pressure (%)", "io", trace::field::kIoPressureNs, Sampled::kRate, 100},
    {"pressure (%)", "memory", trace::field::kMemoryPressureNs, Sampled::kRate, 100},
    {"runnable processes", "runnable", trace::field::kCpuRunnable, Sampled::kAtEnd, 1},
    {"memory available (MB)", "available", trace::field::kMemoryAvailableBytes, Sampled::kAtEnd,
     1e-6},
    {"disk (MB/s)", "read", trace::field::kDiskReadBytes, Sampled::kRate, 1000},
    {"disk (MB/s)", "written", trace::field::kDiskWrittenBytes, Sampled::kRate, 1000},
    {"disk busy (%)", "busy", trace::field::kDiskBusyNs, Sampled::kRate, 100},
    {"network (MB/s)", "received", trace::field::kNetworkReceivedBytes, Sampled::kRate, 1000},
    {"network (MB/s)", "sent", trace::field::kNetworkSentBytes, Sampled::kRate, 1000},
    {"daemon (processors)", "user", trace::field::kDaemonUserNs, Sampled::kRate, 1},
    {"daemon (processors)", "system", trace::field::kDaemonSystemNs, Sampled::kRate, 1},
    {"daemon (processors)", "children", trace::field::kDaemonChildrenNs, Sampled::kRate, 1},
    {"daemon memory (MB)", "resident", trace::field::kDaemonResidentBytes, Sampled::kAtEnd, 1e-6},
    {"jobs (sampled)", "remote", trace::field::kJobsRemote, Sampled::kAtEnd, 1},
    {"jobs (sampled)", "local", trace::field::kJobsLocal, Sampled::kAtEnd, 1},
    {"jobs (sampled)", "waiting", trace::field::kJobsWaiting, Sampled::kAtEnd, 1},
    {"workers", "started", trace::field::kWorkers, Sampled::kAtEnd, 1},
    {"workers", "busy", trace::field::kWorkersBusy, Sampled::kAtEnd, 1},
});

std::vector<Row> SamplesOf(const Columns& columns, std::span<const Row> machine) {
  std::vector<Row> samples;
  for (const Row row : machine) {
    if (IsMachineSample(columns, row)) samples.push_back(row);
  }
  std::stable_sort(samples.begin(), samples.end(),
                   [&](Row a, Row b) { return columns.start_ns()[a] < columns.start_ns()[b]; });
  return samples;
}

double NumberAt(const traces::FieldColumn& column, Row row) {
  const auto value = column.At(row);
  return value ? value->number().value_or(0) : 0;
}

// One counter from the series [first, last) of the table that some sample has.
Counter CounterOfSamples(const Columns& columns, uint32_t build, std::span<const Row> samples,
                         std::span<const SampledSeries> table) {
  Counter counter{build, std::string(table[0].counter), {}, {}};
  std::vector<const SampledSeries*> present;
  for (const SampledSeries& series : table) {
    const traces::FieldColumn& column = columns.field(series.field);
    if (std::none_of(samples.begin(), samples.end(), [&](Row row) { return column.Has(row); })) {
      continue;
    }
    present.push_back(&series);
    counter.series.emplace_back(series.label);
  }
  if (present.empty()) return counter;
  const bool rate = table[0].sampled == Sampled::kRate;
  CounterPoint end;
  for (const Row row : samples) {
    const auto duration_ns = static_cast<double>(columns.duration_ns()[row]);
    CounterPoint point{rate ? columns.start_ns()[row] : columns.end_ns(row), {}};
    for (const SampledSeries* series : present) {
      const double number = NumberAt(columns.field(series->field), row) * series->scale;
      point.values.push_back(!rate ? number : duration_ns > 0 ? number / duration_ns : 0);
    }
    end = {columns.end_ns(row), point.values};
    counter.points.push_back(std::move(point));
  }
  if (rate) counter.points.push_back(std::move(end));
  return counter;
}

void AddSampled(const Columns& columns, uint32_t build, std::span<const Row> machine,
                std::vector<Counter>& counters) {
  const std::vector<Row> samples = SamplesOf(columns, machine);
  if (samples.empty()) return;
  const std::span<const SampledSeries> table = kSampled;
  for (size_t first = 0; first < table.size();) {
    size_t last = first + 1;
    while (last < table.size() && table[last].counter == table[first].counter) ++last;
    Counter counter = CounterOfSamples(columns, build, samples, table.subspan(first, last - first));
    if (!counter.points.empty()) counters.push_back(std::move(counter));
    first = last;
  }
}

}  // namespace

std::vector<Counter> CountersOf(const Selection& selection) {
  const Columns& columns = selection.columns();
  const RowsByBuild jobs = JobsOf(selection);
  const RowsByBuild machine = SelectedNamed(selection, trace::span::kMachine);
  std::vector<RowsByBuild> in_flight;
  for (const InFlightSeries& series : kInFlight) {
    in_flight.push_back(SelectedNamed(selection, series.span));
  }
  std::vector<Counter> counters;
  for (uint32_t build = 0; build < columns.builds().size(); ++build) {
    for (Counter counter :
         {CountJobs(columns, build, jobs.of(build)), CountInFlight(columns, build, in_flight)}) {
      if (!counter.points.empty()) counters.push_back(std::move(counter));
    }
    AddSampled(columns, build, machine.of(build), counters);
  }
  return counters;
}

}  // namespace llama::exports
