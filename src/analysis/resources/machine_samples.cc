#include "analysis/resources/machine_samples.h"

#include <algorithm>

#include "traces/columns/numbers.h"

namespace llama::analysis {
namespace {

// The kernel counts in hundredths of a second, the pressures in intervals of their own, and a
// reading takes its time: so much more than passed is no more than passed.
constexpr double kMostRatio = 1.05;
constexpr double kSlackNs = 50e6;

// Whether counters of time are of no more than the sample's.
class Plausibility {
 public:
  explicit Plausibility(const traces::Columns& trace)
      : trace_(trace), cores_(trace.field(trace::field::kCpuCores)) {
    for (const std::string_view name :
         {trace::field::kCpuUserNs, trace::field::kCpuSystemNs, trace::field::kCpuStealNs}) {
      processors_.push_back(&trace.field(name));
    }
    for (const std::string_view name : {trace::field::kCpuPressureNs, trace::field::kIoPressureNs,
                                        trace::field::kMemoryPressureNs}) {
      pressures_.push_back(&trace.field(name));
    }
  }

  bool Holds(traces::Row row) const {
    const auto most_ns = static_cast<double>(trace_.duration_ns()[row]) * kMostRatio + kSlackNs;
    for (const traces::FieldColumn* pressure : pressures_) {
      if (NsOf(*pressure, row) > most_ns) return false;
    }
    const auto cores = traces::CountAt(cores_, row);
    if (!cores || *cores == 0) return true;
    double used_ns = 0;
    for (const traces::FieldColumn* field : processors_) used_ns += NsOf(*field, row);
    return used_ns <= most_ns * static_cast<double>(*cores);
  }

 private:
  static double NsOf(const traces::FieldColumn& field, traces::Row row) {
    return static_cast<double>(traces::CountAt(field, row).value_or(0));
  }

  const traces::Columns& trace_;
  const traces::FieldColumn& cores_;
  std::vector<const traces::FieldColumn*> processors_;
  std::vector<const traces::FieldColumn*> pressures_;
};

}  // namespace

MachineSamples::MachineSamples(const traces::Columns& trace, std::optional<uint32_t> build)
    : trace_(trace) {
  const Plausibility plausible(trace);
  for (const traces::Row row : trace.rows_named(trace::span::kMachine)) {
    if (build && trace.build()[row] != *build) continue;
    if (plausible.Holds(row)) rows_.push_back(row);
  }
}

std::optional<int64_t> MachineSamples::Sum(std::string_view field) const {
  const traces::FieldColumn& column = trace_.field(field);
  std::optional<int64_t> sum;
  for (const traces::Row row : rows_) {
    if (const auto value = traces::CountAt(column, row))
      sum = traces::AddUp(sum.value_or(0), *value);
  }
  return sum;
}

std::optional<int64_t> MachineSamples::Most(std::string_view field) const {
  const traces::FieldColumn& column = trace_.field(field);
  std::optional<int64_t> most;
  for (const traces::Row row : rows_) {
    if (const auto value = traces::CountAt(column, row)) most = std::max(most.value_or(0), *value);
  }
  return most;
}

std::optional<MachineSamples::Share> MachineSamples::Busy(std::string_view field,
                                                          std::string_view second,
                                                          std::string_view per) const {
  const traces::FieldColumn& column = trace_.field(field);
  const traces::FieldColumn& more = trace_.field(second);
  const traces::FieldColumn& times = trace_.field(per);
  double busy = 0;
  double total = 0;
  Share share;
  for (const traces::Row row : rows_) {
    const auto value = traces::CountAt(column, row);
    const auto capacity = per.empty() ? std::optional<int64_t>(1) : traces::CountAt(times, row);
    if (!value || !capacity || *capacity == 0 || trace_.duration_ns()[row] == 0) continue;
    const double used =
        static_cast<double>(*value) + static_cast<double>(traces::CountAt(more, row).value_or(0));
    const double could =
        static_cast<double>(trace_.duration_ns()[row]) * static_cast<double>(*capacity);
    busy += used;
    total += could;
    if (trace_.duration_ns()[row] >= kLeastPeakNs) share.peak = std::max(share.peak, used / could);
  }
  if (total == 0) return std::nullopt;
  share.mean = std::min(1.0, busy / total);
  share.peak = std::clamp(share.peak, share.mean, 1.0);
  return share;
}

std::optional<MachineSamples::Share> MachineSamples::Used(std::string_view whole,
                                                          std::string_view left) const {
  const traces::FieldColumn& all = trace_.field(whole);
  const traces::FieldColumn& rest = trace_.field(left);
  double total_ns = 0;
  Share share;
  for (const traces::Row row : rows_) {
    const auto bytes = traces::CountAt(all, row);
    const auto available = traces::CountAt(rest, row);
    if (!bytes || !available || *bytes == 0) continue;
    const double used =
        std::clamp(1 - static_cast<double>(*available) / static_cast<double>(*bytes), 0.0, 1.0);
    const auto weight = static_cast<double>(trace_.duration_ns()[row]);
    share.mean += used * weight;
    total_ns += weight;
    share.peak = std::max(share.peak, used);
  }
  if (total_ns == 0) return std::nullopt;
  share.mean /= total_ns;
  return share;
}

std::optional<MachineSamples::Share> MachineSamples::Rate(std::string_view field) const {
  const traces::FieldColumn& column = trace_.field(field);
  double bytes = 0;
  double total_ns = 0;
  Share rate;
  for (const traces::Row row : rows_) {
    const auto value = traces::CountAt(column, row);
    const auto duration_ns = static_cast<double>(trace_.duration_ns()[row]);
    if (!value || duration_ns == 0) continue;
    bytes += static_cast<double>(*value);
    total_ns += duration_ns;
    if (trace_.duration_ns()[row] >= kLeastPeakNs) {
      rate.peak = std::max(rate.peak, static_cast<double>(*value) / duration_ns * 1e9);
    }
  }
  if (total_ns == 0) return std::nullopt;
  rate.mean = bytes / total_ns * 1e9;
  rate.peak = std::max(rate.peak, rate.mean);
  return rate;
}

}  // namespace llama::analysis
