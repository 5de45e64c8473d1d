#include "analysis/resources/machine_samples.h"

#include <algorithm>

#include "traces/columns/numbers.h"

namespace llama::analysis {

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
