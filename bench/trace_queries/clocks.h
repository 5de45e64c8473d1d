// Corrected clocks against the truth that the generator kept.
#pragma once

#include <string>

#include "base/result.h"
#include "traces/columns/columns.h"

namespace llama::bench {

struct ClockErrors {
  size_t workers = 0;
  double mean_ms = 0;
  double max_ms = 0;
  double uncorrected_mean_ms = 0;
  size_t beyond_uncertainty = 0;  // workers whose error is more than what is said of it
  size_t children_outside = 0;    // of their parents
};

Result<ClockErrors> CompareClocks(const traces::Columns& columns, const std::string& truth_path);

}  // namespace llama::bench
