#include "exports/spans/lanes.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <queue>

#include "trace/names.h"

namespace llama::exports {
namespace {

using traces::Columns;
using traces::kNoRow;

template <typename T>
using MinHeap = std::priority_queue<T, std::vector<T>, std::greater<>>;

// Numbers, of which the lowest that is free is taken. Asked by ascending time.
class FreeNumbers {
 public:
  uint32_t Take(int64_t now_ns) {
    while (!busy_.empty() && busy_.top().first <= now_ns) {
      free_.push(busy_.top().second);
      busy_.pop();
    }
    if (free_.empty()) return count_++;
    const uint32_t number = free_.top();
    free_.pop();
    return number;
  }
  void GiveBackAt(uint32_t number, int64_t end_ns) { busy_.emplace(end_ns, number); }

 private:
  MinHeap<std::pair<int64_t, uint32_t>> busy_;
  MinHeap<uint32_t> free_;
  uint32_t count_ = 0;
};

// One trace's spans on tracks of its own, numbered from 0: `local[i]` is that of order[i]. Spans
// are looked at by start, so what is open on a track is a stack, linked by `below`.
class TraceLayout {
 public:
  explicit TraceLayout(const Selection& selection)
      : selection_(selection), columns_(selection.columns()), place_(columns_.size()) {}

  static constexpr uint32_t kNothing = Lanes::kNone;
  struct Placed {
    uint32_t index = 0;  // into selection.rows()
    uint32_t lane = 0;
    uint32_t below = kNothing;  // what it lies in: index into placed()
  };
  struct Lane {
    int64_t end_ns = 0;
    uint32_t open = kNothing;  // the innermost open span: index into placed()
  };

  void Run(const SelectedTrace& trace) {
    Sort(trace);
    lanes_.clear();
    FreeNumbers free;
    for (uint32_t i = 0; i < placed_.size(); ++i) {
      place_[row(i)] = i;
      if (!NestBelowParent(i)) TakeLane(i, free);
    }
  }

  std::span<const Placed> placed() const { return placed_; }
  std::span<const Lane> lanes() const { return lanes_; }

 private:
  Row row(uint32_t i) const { return selection_.rows()[placed_[i].index]; }
  int64_t start_ns(uint32_t i) const { return columns_.start_ns()[row(i)]; }
  int64_t end_ns(uint32_t i) const { return columns_.end_ns(row(i)); }

  // By start; parents before their children, short before long siblings.
  void Sort(const SelectedTrace& trace) {
    placed_.clear();
    for (uint32_t i = trace.begin; i < trace.end; ++i) {
      if (!IsMachineSample(columns_, selection_.rows()[i])) placed_.push_back({i, 0, kNothing});
    }
    const auto starts = columns_.start_ns();
    const auto depths = columns_.depth();
    const auto rows = selection_.rows();
    std::sort(placed_.begin(), placed_.end(), [&](const Placed& left, const Placed& right) {
      const Row a = rows[left.index];
      const Row b = rows[right.index];
      if (starts[a] != starts[b]) return starts[a] < starts[b];
      if (depths[a] != depths[b]) return depths[a] < depths[b];
      const int64_t a_ns = columns_.duration_ns()[a];
      const int64_t b_ns = columns_.duration_ns()[b];
      return a_ns != b_ns ? a_ns < b_ns : left.index < right.index;
    });
  }

  bool NestBelowParent(uint32_t i) {
    const Row above = selection_.parent(row(i));
    if (above == kNoRow) return false;
    // A parent that starts later has not been placed yet.
    const uint32_t parent = place_[above];
    if (parent >= i || row(parent) != above || end_ns(i) > end_ns(parent)) return false;
    Lane& lane = lanes_[placed_[parent].lane];
    while (lane.open != kNothing && lane.open != parent && end_ns(lane.open) <= start_ns(i)) {
      lane.open = placed_[lane.open].below;
    }
    if (lane.open != parent) return false;
    placed_[i].lane = placed_[parent].lane;
    placed_[i].below = parent;
    lane.open = i;
    return true;
  }

  void TakeLane(uint32_t i, FreeNumbers& free) {
    const uint32_t number = free.Take(start_ns(i));
    if (number == lanes_.size()) lanes_.push_back({end_ns(i), kNothing});
    Lane& lane = lanes_[number];
    lane.open = i;
    lane.end_ns = std::max(lane.end_ns, end_ns(i));
    free.GiveBackAt(number, end_ns(i));
    placed_[i].lane = number;
  }

  const Selection& selection_;
  const Columns& columns_;
  std::vector<uint32_t> place_;  // of a row in placed_; of rows of other traces anything
  std::vector<Placed> placed_;
  std::vector<Lane> lanes_;
};

// The numbers that are free in one build's groups.
struct BuildTracks {
  std::array<FreeNumbers, kTrackGroups> free;
};

uint64_t TrackKey(uint32_t build, TrackGroup group, uint32_t number) {
  return (static_cast<uint64_t>(build) << 2 | static_cast<uint64_t>(group)) << 32 | number;
}

Track TrackOf(uint64_t key) {
  return {static_cast<uint32_t>(key >> 34), static_cast<TrackGroup>(key >> 32 & 3),
          static_cast<uint32_t>(key)};
}

}  // namespace

bool IsMachineSample(const Columns& columns, Row row) {
  const Row above = columns.parent()[row];
  return above != kNoRow && columns.text(columns.name()[row]) == trace::span::kMachine &&
         columns.text(columns.name()[above]) == trace::span::kBuild;
}

Lanes::Lanes(const Selection& selection) {
  const Columns& columns = selection.columns();
  std::vector<uint64_t> keys(selection.rows().size(), UINT64_MAX);
  enclosing_.assign(keys.size(), kNone);
  by_trace_.reserve(keys.size());
  std::vector<BuildTracks> builds(columns.builds().size());
  TraceLayout layout(selection);
  std::vector<uint64_t> lane_keys;
  for (const SelectedTrace& trace : selection.traces()) {
    trace_offsets_.push_back(static_cast<uint32_t>(by_trace_.size()));
    layout.Run(trace);
    const uint32_t build = columns.build()[selection.rows()[trace.begin]];
    TrackGroup group = IsBuildTrace(columns, trace.trace) ? TrackGroup::kBuild : TrackGroup::kJobs;
    lane_keys.clear();
    for (const auto& lane : layout.lanes()) {
      FreeNumbers& free = builds[build].free[static_cast<size_t>(group)];
      // From the trace's start, so that starts ascend, even if the lane is needed only later.
      const uint32_t number = free.Take(trace.start_ns);
      free.GiveBackAt(number, lane.end_ns);
      lane_keys.push_back(TrackKey(build, group, number));
      group = TrackGroup::kOverlapping;
    }
    for (const auto& placed : layout.placed()) {
      keys[placed.index] = lane_keys[placed.lane];
      if (placed.below != kNone) enclosing_[placed.index] = layout.placed()[placed.below].index;
      by_trace_.push_back(placed.index);
    }
  }
  trace_offsets_.push_back(static_cast<uint32_t>(by_trace_.size()));
  NumberTracks(keys);
}

void Lanes::NumberTracks(const std::vector<uint64_t>& keys) {
  std::vector<uint64_t> distinct;
  distinct.reserve(by_trace_.size());
  for (const uint32_t i : by_trace_) {
    if (distinct.empty() || distinct.back() != keys[i]) distinct.push_back(keys[i]);
  }
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  for (const uint64_t key : distinct) tracks_.push_back(TrackOf(key));

  track_.assign(keys.size(), kNone);
  track_offsets_.assign(tracks_.size() + 1, 0);
  for (const uint32_t i : by_trace_) {
    const auto at = std::lower_bound(distinct.begin(), distinct.end(), keys[i]);
    track_[i] = static_cast<uint32_t>(at - distinct.begin());
    ++track_offsets_[track_[i] + 1];
  }
  for (size_t t = 1; t < track_offsets_.size(); ++t) track_offsets_[t] += track_offsets_[t - 1];
  by_track_.resize(by_trace_.size());
  std::vector<uint32_t> next(track_offsets_.begin(), track_offsets_.end() - 1);
  for (const uint32_t i : by_trace_) by_track_[next[track_[i]]++] = i;
}

std::span<const uint32_t> Lanes::of_trace(size_t trace) const {
  return {by_trace_.data() + trace_offsets_[trace], by_trace_.data() + trace_offsets_[trace + 1]};
}

std::span<const uint32_t> Lanes::on_track(uint32_t track) const {
  return {by_track_.data() + track_offsets_[track], by_track_.data() + track_offsets_[track + 1]};
}

}  // namespace llama::exports
