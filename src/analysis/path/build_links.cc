#include "analysis/path/build_links.h"

#include <algorithm>
#include <numeric>

namespace llama::analysis {
namespace {

// The daemon sees a local compiler's end when its socket closes: by then the build system may have
// started the next command.
constexpr int64_t kSeenLateNs = 20'000'000;
// What a shell and the wrapper take to start on a busy machine.
constexpr int64_t kStartNs = 50'000'000;
// Whatever the units' length: after more than that something else had run in between.
constexpr int64_t kLongestStartNs = 1'000'000'000;
int64_t SeenBy(int64_t time_ns) {
  return time_ns > INT64_MAX - kSeenLateNs ? INT64_MAX : time_ns + kSeenLateNs;
}

// Units of one end that are looked at.
constexpr int kMaxLooks = 64;

}  // namespace

BuildLinks::BuildLinks(const Units& units, const BuildGraph& graph, const JobSlots& slots)
    : units_(units), graph_(graph), slots_(slots), by_end_(units.all.size()) {
  std::iota(by_end_.begin(), by_end_.end(), 0u);
  std::sort(by_end_.begin(), by_end_.end(), [&](uint32_t a, uint32_t b) {
    const Unit& x = units_.all[a];
    const Unit& y = units_.all[b];
    return x.end_ns != y.end_ns ? x.end_ns < y.end_ns : a < b;
  });
}

std::optional<uint32_t> BuildLinks::LastToEnd() const {
  if (by_end_.empty()) return std::nullopt;
  return by_end_.back();
}

std::optional<uint32_t> BuildLinks::LastFinisherBefore(uint32_t unit) const {
  const int64_t start_ns = units_.all[unit].start_ns;
  auto at = std::upper_bound(by_end_.begin(), by_end_.end(),
                             start_ns + std::min(kSeenLateNs, INT64_MAX - start_ns),
                             [&](int64_t time, uint32_t u) { return time < units_.all[u].end_ns; });
  for (int looks = 0; at != by_end_.begin() && looks < kMaxLooks; ++looks) {
    const uint32_t other = *--at;
    // Only what began before can have been waited for, so the way back comes to an end.
    if (other >= unit) continue;
    if (units_.all[other].end_ns <= start_ns || !units_.all[other].remote) return other;
  }
  return std::nullopt;
}

std::optional<uint32_t> BuildLinks::LastNeeded(uint32_t unit) const {
  std::optional<uint32_t> last;
  const int64_t start_ns = units_.all[unit].start_ns;
  for (const uint32_t need : graph_.NeedsOf(unit)) {
    if (need >= unit || units_.all[need].end_ns > SeenBy(start_ns)) continue;
    if (!last || units_.all[need].end_ns > units_.all[*last].end_ns) last = need;
  }
  return last;
}

// While n units run, one ends every d/n or so: only a start that comes much sooner after an end
// than that is likely to have waited for it.
bool BuildLinks::StartedRightAfter(uint32_t unit, uint32_t before) const {
  const Unit& other = units_.all[before];
  const int64_t gap_ns = units_.all[unit].start_ns - other.end_ns;
  const int64_t running = std::max<int64_t>(1, units_.RunningBefore(other.end_ns));
  const int64_t chance_ns = std::min(other.duration_ns() / running / 4, kLongestStartNs);
  return gap_ns <= (running <= 2 ? std::max(kStartNs, chance_ns) : chance_ns);
}

BuildLinks::Link BuildLinks::Before(uint32_t unit) const {
  const std::optional<uint32_t> finisher = LastFinisherBefore(unit);
  const std::optional<uint32_t> needed = LastNeeded(unit);
  if (needed && (needed == finisher || StartedRightAfter(unit, *needed))) {
    return {LinkKind::kDependency, needed};
  }
  if (!finisher) {
    if (needed) return {LinkKind::kDependency, needed};
    return {LinkKind::kStart, std::nullopt};
  }
  if (slots_.AllTaken(units_.RunningBefore(units_.all[*finisher].end_ns))) {
    return {LinkKind::kSlot, finisher};
  }
  // One that follows in another folder is another make's: it is makes that wait for each other.
  if (!graph_.complete && StartedRightAfter(unit, *finisher) &&
      units_.all[unit].folder == units_.all[*finisher].folder) {
    return {LinkKind::kFollowed, finisher};
  }
  return {LinkKind::kLate, needed && graph_.complete ? needed : finisher};
}

}  // namespace llama::analysis
