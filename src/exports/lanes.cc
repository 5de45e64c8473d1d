#include "exports/lanes.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <queue>

namespace llama::exports {
namespace {

using report::Columns;
using report::kNoRow;

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
// are looked at by start, so what is open on a track is a stack; `below_` links it.
class TraceLayout {
 public:
  explicit TraceLayout(const Selection& selection)
      : selection_(selection), columns_(selection.columns()), place_(columns_.size()) {}

  struct Placed {
    uint32_t index = 0;  // into selection.rows()
    uint32_t lane = 0;
  };
  struct Lane {
    int64_t end_ns = 0;
    uint32_t open = kNothing;  // the innermost open span: index into placed()
  };

  void Run(const SelectedTrace& trace) {
    Sort(trace);
    lanes_.clear();
    FreeNumbers free;
    below_.assign(placed_.size(), kNothing);
    for (uint32_t i = 0; i < placed_.size(); ++i) {
      place_[row(i)] = i;
      if (!NestBelowParent(i)) TakeLane(i, free);
    }
  }

  std::span<const Placed> placed() const { return placed_; }
  std::span<const Lane> lanes() const { return lanes_; }

 private:
  static constexpr uint32_t kNothing = UINT32_MAX;

  Row row(uint32_t i) const { return selection_.rows()[placed_[i].index]; }
  int64_t start_ns(uint32_t i) const { return columns_.start_ns()[row(i)]; }
  int64_t end_ns(uint32_t i) const { return columns_.end_ns(row(i)); }

  // By start; parents before their children, short before long siblings.
  void Sort(const SelectedTrace& trace) {
    placed_.clear();
    for (uint32_t i = trace.begin; i < trace.end; ++i) {
      if (!IsMachineSample(columns_, selection_.rows()[i])) placed_.push_back({i, 0});
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
      lane.open = below_[lane.open];
    }
    if (lane.open != parent) return false;
    placed_[i].lane = placed_[parent].lane;
    below_[i] = parent;
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
  std::vector<uint32_t> below_;
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
  return above != kNoRow && columns.text(columns.name()[row]) == "machine" &&
         columns.text(columns.name()[above]) == "build";
}

Lanes::Lanes(const Selection& selection) {
  const Columns& columns = selection.columns();
  std::vector<uint64_t> keys(selection.rows().size(), UINT64_MAX);
  std::vector<BuildTracks> builds(columns.builds().size());
  TraceLayout layout(selection);
  std::vector<uint32_t> sequence;  // indexes into rows(), as they are to stand on their tracks
  sequence.reserve(keys.size());
  for (const SelectedTrace& trace : selection.traces()) {
    layout.Run(trace);
    if (layout.placed().empty()) continue;
    const uint32_t build = columns.build()[selection.rows()[trace.begin]];
    const TrackGroup main =
        IsBuildTrace(columns, trace.trace) ? TrackGroup::kBuild : TrackGroup::kJobs;
    std::vector<uint64_t> lane_keys;
    for (const auto& lane : layout.lanes()) {
      const TrackGroup group = lane_keys.empty() ? main : TrackGroup::kOverlapping;
      FreeNumbers& free = builds[build].free[static_cast<size_t>(group)];
      // From the trace's start, so that starts ascend, even if the lane is needed only later.
      const uint32_t number = free.Take(trace.start_ns);
      free.GiveBackAt(number, lane.end_ns);
      lane_keys.push_back(TrackKey(build, group, number));
    }
    for (const auto& placed : layout.placed()) {
      keys[placed.index] = lane_keys[placed.lane];
      sequence.push_back(placed.index);
    }
  }
  std::vector<uint64_t> distinct;
  for (const uint32_t i : sequence) distinct.push_back(keys[i]);
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  for (const uint64_t key : distinct) tracks_.push_back(TrackOf(key));

  track_.assign(keys.size(), kNone);
  offsets_.assign(tracks_.size() + 1, 0);
  for (const uint32_t i : sequence) {
    track_[i] = static_cast<uint32_t>(std::lower_bound(distinct.begin(), distinct.end(), keys[i]) -
                                      distinct.begin());
    ++offsets_[track_[i] + 1];
  }
  for (size_t t = 1; t < offsets_.size(); ++t) offsets_[t] += offsets_[t - 1];
  order_.resize(sequence.size());
  std::vector<uint32_t> next(offsets_.begin(), offsets_.end() - 1);
  for (const uint32_t i : sequence) order_[next[track_[i]]++] = i;
}

std::span<const uint32_t> Lanes::on_track(uint32_t track) const {
  return {order_.data() + offsets_[track], order_.data() + offsets_[track + 1]};
}

}  // namespace llama::exports
