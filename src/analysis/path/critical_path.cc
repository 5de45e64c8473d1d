#include "analysis/path/critical_path.h"

#include <algorithm>
#include <numeric>

#include "analysis/path/build_links.h"
#include "base/text/format.h"
#include "base/text/text_writer.h"

namespace llama::analysis {
namespace {

// Slots were free, and few units ran: of [begin, end).
int64_t LowTime(const Units& units, const JobSlots& slots, int64_t few, int64_t begin_ns,
                int64_t end_ns) {
  int64_t low_ns = 0;
  auto step = std::upper_bound(units.steps.begin(), units.steps.end(), begin_ns,
                               [](int64_t time, const RunningStep& s) { return time < s.time_ns; });
  if (step != units.steps.begin()) --step;
  for (; step != units.steps.end() && step->time_ns < end_ns; ++step) {
    const auto next = std::next(step);
    const int64_t until_ns = next == units.steps.end() ? end_ns : std::min(next->time_ns, end_ns);
    const int64_t from_ns = std::max(step->time_ns, begin_ns);
    if (from_ns < until_ns && step->running > 0 && step->running <= few &&
        !slots.AllTaken(step->running)) {
      low_ns += until_ns - from_ns;
    }
  }
  return low_ns;
}

// A quarter of what could run at once, be it that there are fewer units than slots. Without a limit
// that is what did.
int64_t FewOf(const Units& units, const JobSlots& slots) {
  const auto count = static_cast<int64_t>(units.all.size());
  const int64_t most = slots.count == kUnlimitedJobs ? units.peak : slots.count;
  return std::max<int64_t>(1, std::min(most, count) / 4);
}

void Share(const Units& units, const JobSlots& slots, CriticalPath& out) {
  int64_t before_end_ns = units.start_ns;
  for (size_t i = 0; i < out.links.size(); ++i) {
    PathLink& link = out.links[i];
    const Unit& unit = units.all[link.unit];
    const bool is_last = i + 1 == out.links.size();
    // The end of a local unit is seen a little late: the next one may have started by then.
    const int64_t end_ns =
        is_last ? unit.end_ns
                : std::max(unit.start_ns,
                           std::min(unit.end_ns, units.all[out.links[i + 1].unit].start_ns));
    const int64_t gap_ns = unit.start_ns - before_end_ns;
    if (i == 0) {
      out.before_ns = gap_ns;
    } else {
      link.gap_ns = gap_ns;
      out.gaps_ns += gap_ns;
    }
    link.time_ns = end_ns - unit.start_ns;
    link.low_ns = LowTime(units, slots, out.few, unit.start_ns, end_ns);
    out.units_ns += link.time_ns;
    before_end_ns = end_ns;
  }
  out.after_ns = units.end_ns - before_end_ns;
}

std::string LinkText(LinkKind kind) {
  switch (kind) {
    case LinkKind::kStart:
      return "first";
    case LinkKind::kDependency:
      return "needs it";
    case LinkKind::kFollowed:
      return "after it";
    case LinkKind::kSlot:
      return "got its slot";
    case LinkKind::kLate:
      return "started late";
  }
  return "";
}

}  // namespace

const char* LinkKindName(LinkKind kind) {
  switch (kind) {
    case LinkKind::kStart:
      return "start";
    case LinkKind::kDependency:
      return "dependency";
    case LinkKind::kFollowed:
      return "followed";
    case LinkKind::kSlot:
      return "slot";
    case LinkKind::kLate:
      return "late";
  }
  return "";
}

CriticalPath FindCriticalPath(const Units& units, const BuildGraph& graph, const JobSlots& slots) {
  CriticalPath out;
  // A complete graph without an edge is known, too: nothing waits for anything.
  out.from_graph = graph.complete || graph.known();
  out.few = FewOf(units, slots);
  const BuildLinks links(units, graph, slots);
  std::optional<uint32_t> unit = links.LastToEnd();
  while (unit) {
    const BuildLinks::Link link = links.Before(*unit);
    out.links.push_back({*unit, link.kind, 0, 0, 0});
    unit = link.from;
  }
  std::reverse(out.links.begin(), out.links.end());
  Share(units, slots, out);
  return out;
}

std::string FormatCriticalPath(const UnitNames& names, const Units& units, const CriticalPath& path,
                               size_t count, size_t columns) {
  std::string out;
  if (path.links.empty()) return out;
  std::vector<size_t> shown(path.links.size());
  std::iota(shown.begin(), shown.end(), size_t{0});
  count = std::min(count, shown.size());
  const auto middle = shown.begin() + static_cast<std::ptrdiff_t>(count);
  std::partial_sort(shown.begin(), middle, shown.end(), [&](size_t a, size_t b) {
    const int64_t x = path.links[a].time_ns;
    const int64_t y = path.links[b].time_ns;
    return x != y ? x > y : a < b;
  });
  shown.resize(count);
  std::sort(shown.begin(), shown.end());

  out = "critical path: " + FormatCount(path.links.size()) +
        (path.links.size() == 1 ? " unit, " : " units, ") + FormatDuration(path.units_ns) +
        " in them, " + FormatDuration(path.gaps_ns) + " between them" +
        (path.from_graph ? "" : " (an estimate, by who finished last)") + "\n";
  size_t next = 0;
  const auto skip = [&](size_t until) {
    if (until == next) return;
    int64_t skipped_ns = 0;
    for (; next < until; ++next) skipped_ns += path.links[next].time_ns;
    out += PadLeft(FormatDuration(skipped_ns), 12) + "  in others\n";
  };
  for (const size_t i : shown) {
    skip(i);
    const PathLink& link = path.links[i];
    const Unit& unit = units.all[link.unit];
    const std::string line = PadLeft(FormatDuration(link.time_ns), 12) + "  " +
                             PadRight(LinkText(link.kind), 13) +
                             (unit.remote ? "remote  " : "local   ");
    out += WithName(line, names.Of(unit.row), columns) + "\n";
    next = i + 1;
  }
  skip(path.links.size());
  return out;
}

}  // namespace llama::analysis
