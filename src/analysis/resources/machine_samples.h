// MachineSamples: what the daemon saw of the build host while a build ran, added up. A figure that
// the samples do not tell is absent.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "trace/names.h"
#include "traces/columns/columns.h"

namespace llama::analysis {

class MachineSamples {
 public:
  explicit MachineSamples(const traces::Columns& trace)
      : trace_(trace), rows_(trace.rows_named(trace::span::kMachine)) {}

  bool any() const { return !rows_.empty(); }
  // Σ of a counter over all samples that have it.
  std::optional<int64_t> Sum(std::string_view field) const;
  std::optional<int64_t> Most(std::string_view field) const;

  // A counter of nanoseconds (or the sum of two) over the time of the samples that have it, times
  // `per`, which is another field (cores) or none. At most 1.
  struct Share {
    double mean = 0;
    double peak = 0;  // of one sample
  };
  std::optional<Share> Busy(std::string_view field, std::string_view second = {},
                            std::string_view per = {}) const;
  // 1 − part / whole, of gauges.
  std::optional<Share> Used(std::string_view whole, std::string_view left) const;
  // A counter of bytes: a second.
  std::optional<Share> Rate(std::string_view field) const;

  // Samples that are shorter say nothing of a peak: the kernel counts in hundredths of a second.
  static constexpr int64_t kLeastPeakNs = 200'000'000;

 private:
  const traces::Columns& trace_;
  std::span<const traces::Row> rows_;
};

}  // namespace llama::analysis
