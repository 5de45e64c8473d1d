// MachineSamples: what the daemon saw of the build host while a build ran, added up. A figure that
// the samples do not tell is absent.
//
// Until counters were cut with times (daemon/record/build_samples.h), the first sample of a build
// had what the machine did since the sample before it, minutes ago perhaps. Where that shows it is
// left out: more time spent than passed can't be the build's.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "trace/names.h"
#include "traces/columns/columns.h"

namespace llama::analysis {

class MachineSamples {
 public:
  // Of one build (an index into Columns::builds()), or of all that was read.
  explicit MachineSamples(const traces::Columns& trace,
                          std::optional<uint32_t> build = std::nullopt);

  bool any() const { return !rows_.empty(); }
  // Those whose counters are of no more than their time.
  const std::vector<traces::Row>& rows() const { return rows_; }
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
  std::vector<traces::Row> rows_;
};

}  // namespace llama::analysis
