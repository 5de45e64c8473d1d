// Perfetto's protobuf trace: packets with descriptors of tracks, begins and ends of slices, and
// counters (https://perfetto.dev/docs/reference/synthetic-track-event). A build is a process with
// tracks below it. Names and repeated texts are interned: told once, then referred to by number.
// Times are nanoseconds since the first span; a clock snapshot says when that was.
#include <unordered_set>

#include "exports/formats/formats.h"
#include "exports/io/json_writer.h"
#include "exports/io/protobuf.h"
#include "exports/spans/counters.h"
#include "exports/spans/labels.h"
#include "exports/spans/lanes.h"

namespace llama::exports {
namespace {

// Field numbers of perfetto/trace/*.proto.
namespace trace_file {
constexpr uint32_t kPacket = 1;
}
namespace packet {
constexpr uint32_t kClockSnapshot = 6, kTimestamp = 8, kSequenceId = 10, kTrackEvent = 11,
                   kInternedData = 12, kSequenceFlags = 13, kTrackDescriptor = 60;
constexpr uint64_t kStateCleared = 1, kNeedsState = 2;
}  // namespace packet
namespace clock_snapshot {
constexpr uint32_t kClocks = 1, kClockId = 1, kTimestamp = 2;
constexpr uint64_t kRealtime = 1, kBoottime = 6;
}  // namespace clock_snapshot
namespace descriptor {
constexpr uint32_t kUuid = 1, kName = 2, kProcess = 3, kParentUuid = 5, kCounter = 8,
                   kChildOrdering = 11, kSiblingRank = 12;
constexpr uint32_t kPid = 1, kProcessName = 6;  // of process
constexpr uint64_t kExplicitOrdering = 3;
}  // namespace descriptor
namespace event {
constexpr uint32_t kCategoryIid = 3, kAnnotation = 4, kType = 9, kNameIid = 10, kTrackUuid = 11,
                   kName = 23, kDoubleCounter = 44;
constexpr uint64_t kBegin = 1, kEnd = 2, kCounterType = 4;
}  // namespace event
namespace interned {
constexpr uint32_t kCategories = 1, kEventNames = 2, kAnnotationNames = 3;
constexpr uint32_t kIid = 1, kText = 2;
}  // namespace interned
namespace annotation {
constexpr uint32_t kNameIid = 1, kBool = 2, kInt = 4, kDouble = 5, kString = 6, kJson = 9,
                   kName = 10;
}

constexpr uint64_t kSequence = 1;
// An END packet takes no more: the room that is kept for those that are open.
constexpr size_t kEndBytes = 48;

class PerfettoWriter {
 public:
  PerfettoWriter(const Selection& selection, const ExportOptions& options, Output& out)
      : selection_(selection),
        columns_(selection.columns()),
        options_(options),
        out_(out),
        proto_(out.text()),
        lanes_(selection),
        labels_(columns_),
        field_told_(columns_.field_count()),
        open_(lanes_.tracks().size()) {}

  ExportCounts Run() {
    WriteStart();
    WriteTracks();
    WriteCounters();
    WriteSpans();
    return std::move(counts_);
  }

 private:
  bool Keep() { return out_.Keep(open_count_ * kEndBytes); }

  template <typename Fill>
  void Packet(Fill&& fill) {
    proto_.Message(trace_file::kPacket, [&] {
      proto_.Varint(packet::kSequenceId, kSequence);
      fill();
    });
  }

  void WriteStart() {
    Packet([&] {
      proto_.Varint(packet::kSequenceFlags, packet::kStateCleared);
      proto_.Message(packet::kClockSnapshot, [&] {
        Clock(clock_snapshot::kBoottime, 0);
        Clock(clock_snapshot::kRealtime, std::max<int64_t>(0, selection_.first_start_ns()));
      });
    });
    Keep();
  }

  void Clock(uint64_t id, int64_t time_ns) {
    proto_.Message(clock_snapshot::kClocks, [&] {
      proto_.Varint(clock_snapshot::kClockId, id);
      proto_.Int(clock_snapshot::kTimestamp, time_ns);
    });
  }

  // 0 is Perfetto's own track.
  static uint64_t BuildUuid(uint32_t build) { return uint64_t{build} + 1; }
  uint64_t TrackUuid(uint32_t track) const { return columns_.builds().size() + 1 + track; }

  void WriteTracks() {
    const auto tracks = lanes_.tracks();
    for (uint32_t build = 0; build < columns_.builds().size(); ++build) {
      Packet([&] {
        proto_.Message(packet::kTrackDescriptor, [&] {
          proto_.Varint(descriptor::kUuid, BuildUuid(build));
          proto_.Message(descriptor::kProcess, [&] {
            proto_.Varint(descriptor::kPid, build + 1);
            proto_.Bytes(descriptor::kProcessName, labels_.Build(build));
          });
          proto_.Varint(descriptor::kChildOrdering, descriptor::kExplicitOrdering);
        });
      });
      if (!Keep()) return;
    }
    for (uint32_t t = 0; t < tracks.size(); ++t) {
      WriteTrack(TrackUuid(t), tracks[t].build, TrackName(tracks[t]), false);
      if (!Keep()) return;
    }
  }

  void WriteTrack(uint64_t uuid, uint32_t build, std::string_view name, bool counter) {
    Packet([&] {
      proto_.Message(packet::kTrackDescriptor, [&] {
        proto_.Varint(descriptor::kUuid, uuid);
        proto_.Varint(descriptor::kParentUuid, BuildUuid(build));
        proto_.Bytes(descriptor::kName, name);
        if (counter) proto_.Message(descriptor::kCounter, [] {});
        // Counters come first.
        proto_.Varint(descriptor::kSiblingRank, counter ? counters_ : 1'000'000 + uuid);
      });
    });
  }

  void WriteCounters() {
    uint64_t uuid = TrackUuid(static_cast<uint32_t>(lanes_.tracks().size()));
    for (const Counter& counter : CountersOf(selection_)) {
      for (size_t s = 0; s < counter.series.size(); ++s, ++uuid) {
        ++counters_;
        const std::string name =
            counter.series.size() == 1 ? counter.name : counter.name + ": " + counter.series[s];
        WriteTrack(uuid, counter.build, name, true);
        if (!Keep()) return;
        for (const CounterPoint& point : counter.points) {
          Packet([&] {
            proto_.Int(packet::kTimestamp, Since(point.time_ns));
            proto_.Message(packet::kTrackEvent, [&] {
              proto_.Varint(event::kType, event::kCounterType);
              proto_.Varint(event::kTrackUuid, uuid);
              proto_.Double(event::kDoubleCounter, point.values[s]);
            });
          });
          if (!Keep()) return;
        }
      }
    }
  }

  void WriteSpans() {
    for (size_t t = 0; t < selection_.traces().size(); ++t) {
      const SelectedTrace& trace = selection_.traces()[t];
      const auto rows = lanes_.of_trace(t);
      for (const uint32_t i : rows) {
        CloseUntil(lanes_.track(i), lanes_.enclosing(i));
        bool room = Keep();  // for the ends there was
        if (room) {
          WriteBegin(i);
          ++open_count_;
          room = Keep();
        }
        if (!room) {
          CloseAll(rows);
          return;
        }
        open_[lanes_.track(i)].push_back(i);
        ++counts_.spans;
      }
      CloseAll(rows);
      // Samples of the machine are counters: as such they are in it.
      counts_.spans += trace.end - trace.begin - rows.size();
    }
  }

  void CloseUntil(uint32_t track, uint32_t enclosing) {
    auto& open = open_[track];
    while (!open.empty() && open.back() != enclosing) {
      WriteEnd(open.back(), track);
      open.pop_back();
      --open_count_;
    }
  }

  void CloseAll(std::span<const uint32_t> rows) {
    for (const uint32_t i : rows) CloseUntil(lanes_.track(i), Lanes::kNone);
  }

  void WriteEnd(uint32_t i, uint32_t track) {
    const Row row = selection_.rows()[i];
    Packet([&] {
      proto_.Int(packet::kTimestamp, Since(columns_.end_ns(row)));
      proto_.Message(packet::kTrackEvent, [&] {
        proto_.Varint(event::kType, event::kEnd);
        proto_.Varint(event::kTrackUuid, TrackUuid(track));
      });
    });
  }

  void WriteBegin(uint32_t i) {
    const Row row = selection_.rows()[i];
    const traces::StringId name = columns_.name()[row];
    const std::string_view subject = labels_.Subject(row);
    Packet([&] {
      proto_.Int(packet::kTimestamp, Since(columns_.start_ns()[row]));
      proto_.Varint(packet::kSequenceFlags, packet::kNeedsState);
      proto_.Message(packet::kInternedData, [&] { TellInterned(row); });
      proto_.Message(packet::kTrackEvent, [&] {
        proto_.Varint(event::kType, event::kBegin);
        proto_.Varint(event::kTrackUuid, TrackUuid(lanes_.track(i)));
        proto_.Varint(event::kCategoryIid, Iid(name));
        if (subject.empty()) {
          proto_.Varint(event::kNameIid, Iid(name));
        } else {
          title_.assign(columns_.text(name)).append(" ").append(subject);
          proto_.Bytes(event::kName, title_);
        }
        if (options_.fields) WriteAnnotations(row);
      });
    });
  }

  // 0 would be none.
  static uint64_t Iid(uint32_t id) { return uint64_t{id} + 1; }

  void Tell(uint32_t kind, uint64_t iid, std::string_view text) {
    proto_.Message(kind, [&] {
      proto_.Varint(interned::kIid, iid);
      proto_.Bytes(interned::kText, text);
    });
  }

  void TellInterned(Row row) {
    const traces::StringId name = columns_.name()[row];
    if (names_told_.insert(name).second) {
      Tell(interned::kCategories, Iid(name), columns_.text(name));
      Tell(interned::kEventNames, Iid(name), columns_.text(name));
    }
    if (!options_.fields) return;
    for (const traces::FieldId id : columns_.fields_of(row)) {
      if (field_told_[id]) continue;
      field_told_[id] = true;
      Tell(interned::kAnnotationNames, Iid(id), columns_.field_name(id));
    }
  }

  void WriteAnnotations(Row row) {
    for (const traces::FieldId id : columns_.fields_of(row)) {
      const auto value = columns_.field(id).At(row);
      if (!value) continue;
      proto_.Message(event::kAnnotation, [&] {
        proto_.Varint(annotation::kNameIid, Iid(id));
        WriteValue(*value);
      });
    }
    WriteId("trace_id", [&] { AppendHex(hex_, columns_.traces()[columns_.trace()[row]]); });
    WriteId("span_id", [&] { AppendHex(hex_, columns_.span_id()[row]); });
  }

  template <typename Append>
  void WriteId(std::string_view name, Append&& append) {
    hex_.clear();
    append();
    proto_.Message(event::kAnnotation, [&] {
      proto_.Bytes(annotation::kName, name);
      proto_.Bytes(annotation::kString, hex_);
    });
  }

  void WriteValue(traces::Value value) {
    switch (value.kind) {
      case traces::Kind::kNull:
        return proto_.Bytes(annotation::kJson, "null");
      case traces::Kind::kBool:
        return proto_.Bool(annotation::kBool, value.as_bool());
      case traces::Kind::kInt:
        return proto_.Int(annotation::kInt, value.as_int());
      case traces::Kind::kDouble:
        return proto_.Double(annotation::kDouble, value.as_double());
      case traces::Kind::kString:
        return proto_.Bytes(annotation::kString, columns_.text(value.as_string()));
      case traces::Kind::kJson:
        return proto_.Bytes(annotation::kJson, columns_.text(value.as_string()));
    }
  }

  // Starts may be as far apart as int64 allows; what does not fit is not worth being right.
  int64_t Since(int64_t time_ns) const {
    int64_t since = 0;
    return __builtin_sub_overflow(time_ns, selection_.first_start_ns(), &since) ? INT64_MAX : since;
  }

  const Selection& selection_;
  const traces::Columns& columns_;
  const ExportOptions& options_;
  Output& out_;
  ProtoWriter proto_;
  const Lanes lanes_;
  const Labels labels_;
  std::unordered_set<traces::StringId> names_told_;
  std::vector<bool> field_told_;
  std::vector<std::vector<uint32_t>> open_;  // a track: what is open on it, outermost first
  size_t open_count_ = 0;
  uint64_t counters_ = 0;
  std::string title_;
  std::string hex_;
  ExportCounts counts_;
};

}  // namespace

ExportCounts WritePerfetto(const Selection& selection, const ExportOptions& options, Output& out) {
  return PerfettoWriter(selection, options, out).Run();
}

}  // namespace llama::exports
