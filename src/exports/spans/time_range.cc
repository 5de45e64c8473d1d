#include "exports/spans/time_range.h"

#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <utility>

#include "trace/span.h"

namespace llama::exports {
namespace {

using Point = TimeRange::Point;

constexpr std::array<std::pair<std::string_view, double>, 8> kUnits = {{{"ms", 1e6},
                                                                        {"us", 1e3},
                                                                        {"µs", 1e3},
                                                                        {"ns", 1},
                                                                        {"min", 60e9},
                                                                        {"m", 60e9},
                                                                        {"s", 1e9},
                                                                        {"h", 3600e9}}};
constexpr double kMaxNs = 366 * 86400e9;  // no span is longer

Error Wrong(std::string_view text) {
  return {Code::kInvalid, "'" + std::string(text) +
                              "' is no time: write seconds or 1m30s after the build's start, or "
                              "2026-11-22T08:20:50Z"};
}

// "1m30.5s"; a number without a unit is seconds, and stands alone.
Result<int64_t> ParseOffset(std::string_view text) {
  std::string_view left = text;
  double sum = 0;
  while (!left.empty()) {
    double number = 0;
    const auto read =
        std::from_chars(left.data(), left.data() + left.size(), number, std::chars_format::fixed);
    if (read.ec != std::errc() || !(number >= 0)) return Wrong(text);
    const bool first = left.size() == text.size();
    left.remove_prefix(static_cast<size_t>(read.ptr - left.data()));
    double unit = 0;
    if (left.empty() && first) unit = 1e9;
    for (const auto& [name, ns] : kUnits) {
      if (unit == 0 && left.starts_with(name)) {
        left.remove_prefix(name.size());
        unit = ns;
      }
    }
    if (unit == 0) return Wrong(text);
    sum += number * unit;
    if (sum > kMaxNs) return Wrong(text);
  }
  return static_cast<int64_t>(std::llround(sum));
}

Result<std::optional<Point>> ParsePoint(std::string_view text) {
  if (text.empty()) return std::optional<Point>();
  if (text.find('T') != std::string_view::npos || text.find('t') != std::string_view::npos) {
    const auto time = trace::ParseTime(text);
    if (!time) return Wrong(text);
    return std::optional<Point>(Point{*time, true});
  }
  ASSIGN_OR_RETURN(const int64_t offset, ParseOffset(text));
  return std::optional<Point>(Point{offset, false});
}

}  // namespace

int64_t TimeRange::Point::AfterStart(int64_t build_start_ns) const {
  if (absolute) return ns;
  int64_t sum = 0;
  return __builtin_add_overflow(build_start_ns, ns, &sum) ? std::numeric_limits<int64_t>::max()
                                                          : sum;
}

bool TimeRange::Overlaps(int64_t start_ns, int64_t end_ns, int64_t build_start_ns) const {
  if (end && start_ns >= end->AfterStart(build_start_ns)) return false;
  if (!begin) return true;
  const int64_t from = begin->AfterStart(build_start_ns);
  return end_ns > from || start_ns >= from;  // the latter for spans that took no time
}

Result<TimeRange> ParseTimeRange(std::string_view text) {
  const size_t dots = text.find("..");
  if (dots == std::string_view::npos) {
    return Error{Code::kInvalid,
                 "'" + std::string(text) + "' is no range: write FROM..TO, such as 10s..1m30s"};
  }
  TimeRange range;
  ASSIGN_OR_RETURN(range.begin, ParsePoint(text.substr(0, dots)));
  ASSIGN_OR_RETURN(range.end, ParsePoint(text.substr(dots + 2)));
  if (range.begin && range.end && range.begin->absolute == range.end->absolute &&
      range.begin->ns >= range.end->ns) {
    return Error{Code::kInvalid, "'" + std::string(text) + "' ends before it begins"};
  }
  return range;
}

}  // namespace llama::exports
