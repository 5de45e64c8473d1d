// Lanes: tracks for viewers that draw spans as slices, in which slices of one track must nest. Each
// span lies on a track so that whatever encloses it there is one of its ancestors, and the one
// right above it its nearest selected one. Siblings that overlap, and spans that reach beyond their
// parent, therefore lie on tracks of their own.
//
// Of a build there are three groups of tracks: the build itself, jobs (a trace each: as few tracks
// as jobs ran at a time, the lowest free one first), and what overlaps within a job.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "exports/spans/selection.h"

namespace llama::exports {

enum class TrackGroup : uint8_t { kBuild, kJobs, kOverlapping };
inline constexpr int kTrackGroups = 3;

struct Track {
  uint32_t build = 0;  // index into Columns::builds()
  TrackGroup group = TrackGroup::kJobs;
  uint32_t number = 0;  // in its group, from 0
};

class Lanes {
 public:
  // Spans named `machine` below a `build` have none: they are counters (exports/spans/counters.h).
  explicit Lanes(const Selection& selection);

  // By build, group and number.
  std::span<const Track> tracks() const { return tracks_; }

  static constexpr uint32_t kNone = UINT32_MAX;
  // Index into tracks() of selection.rows()[i], or kNone.
  uint32_t track(size_t i) const { return track_[i]; }
  // Likewise, of the slice that it lies in; kNone: in none.
  uint32_t enclosing(size_t i) const { return enclosing_[i]; }
  // The rows of one of selection.traces(), or on a track, as indexes into selection.rows(): by
  // start, and after what encloses them.
  std::span<const uint32_t> of_trace(size_t trace) const;
  std::span<const uint32_t> on_track(uint32_t track) const;

 private:
  void NumberTracks(const std::vector<uint64_t>& keys);

  std::vector<Track> tracks_;
  // By row's index.
  std::vector<uint32_t> track_;
  std::vector<uint32_t> enclosing_;
  // The rows of each trace, one trace after the other; then those on each track.
  std::vector<uint32_t> by_trace_;
  std::vector<uint32_t> trace_offsets_;
  std::vector<uint32_t> by_track_;
  std::vector<uint32_t> track_offsets_;
};

bool IsMachineSample(const traces::Columns& columns, Row row);

}  // namespace llama::exports
