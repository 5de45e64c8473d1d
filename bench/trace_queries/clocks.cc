#include "clocks.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include "base/file.h"

namespace llama::bench {
namespace {

std::map<std::string, int64_t, std::less<>> ReadTruth(std::string_view text) {
  std::map<std::string, int64_t, std::less<>> truth;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    const size_t comma = std::min(line.find(','), line.size());
    int64_t offset_ns = 0;
    const char* const end = line.data() + line.size();
    if (comma < line.size() &&
        std::from_chars(line.data() + comma + 1, end, offset_ns).ec == std::errc()) {
      truth.emplace(line.substr(0, comma), offset_ns);
    }
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return truth;
}

size_t CountOutside(const Columns& columns) {
  size_t outside = 0;
  for (Row row = 0; row < columns.size(); ++row) {
    const Row parent = columns.parent()[row];
    if (parent == kNoRow) continue;
    outside += columns.start_ns()[row] < columns.start_ns()[parent] ||
                       columns.end_ns(row) > columns.end_ns(parent)
                   ? 1
                   : 0;
  }
  return outside;
}

}  // namespace

Result<ClockErrors> CompareClocks(const Columns& columns, const std::string& truth_path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(truth_path));
  const auto truth = ReadTruth(text);
  ClockErrors errors;
  for (const WorkerClock& clock : columns.worker_clocks()) {
    const auto known = truth.find(columns.text(clock.worker_id));
    if (known == truth.end()) continue;
    const auto error_ns = static_cast<double>(std::abs(clock.offset_ns - known->second));
    ++errors.workers;
    errors.mean_ms += error_ns / 1e6;
    errors.max_ms = std::max(errors.max_ms, error_ns / 1e6);
    errors.uncorrected_mean_ms += std::abs(static_cast<double>(known->second)) / 1e6;
    errors.beyond_uncertainty += error_ns > static_cast<double>(clock.uncertainty_ns) ? 1 : 0;
  }
  if (errors.workers > 0) {
    errors.mean_ms /= static_cast<double>(errors.workers);
    errors.uncorrected_mean_ms /= static_cast<double>(errors.workers);
  }
  errors.children_outside = CountOutside(columns);
  return errors;
}

}  // namespace llama::bench
