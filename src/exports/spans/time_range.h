// TimeRange: the part of a build that is asked for, as people write it.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace llama::exports {

struct TimeRange {
  struct Point {
    int64_t ns = 0;  // since the build's start, or since the Unix epoch
    bool absolute = false;
    int64_t AfterStart(int64_t build_start_ns) const;  // since the epoch, within int64
  };
  std::optional<Point> begin;  // none: from the beginning
  std::optional<Point> end;    // none: to the end

  // Whether a span from start to end ran in the range at any time. The range's end is not in it.
  bool Overlaps(int64_t start_ns, int64_t end_ns, int64_t build_start_ns) const;
};

// "10s..1m30s", "..500ms", "12.5..", "2026-11-22T08:20:50Z..": each side seconds, a duration of
// "h", "min" or "m", "s", "ms", "us", "ns" after the build's start, or an RFC 3339 time; or
// nothing. kInvalid, with what is wrong, for anything else and for an end that is before its
// beginning.
Result<TimeRange> ParseTimeRange(std::string_view text);

}  // namespace llama::exports
