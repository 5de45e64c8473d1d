// speedscope's file format (https://www.speedscope.app/file-format-schema.json). The first profile
// is of all jobs together: their time by path of names, less that of spans below. Then there is one
// a track, with every span when it was.
#include <algorithm>
#include <limits>

#include "base/text/json.h"
#include "exports/formats/formats.h"
#include "exports/io/json_writer.h"
#include "exports/spans/labels.h"
#include "exports/spans/lanes.h"
#include "traces/columns/numbers.h"

namespace llama::exports {
namespace {

constexpr std::string_view kSpeedscopeTail = "\n]}\n";
constexpr std::string_view kSpeedscopeTailWithoutProfiles = "]},\"profiles\":[\n]}\n";
// {"type":"C","frame":1234567890,"at":1234567890123456789}, with its comma and line.
constexpr size_t kCloseBytes = 80;
constexpr size_t kProfileEndBytes = 64;

class SpeedscopeWriter {
 public:
  SpeedscopeWriter(const Selection& selection, const ExportOptions& options, Output& out)
      : selection_(selection),
        columns_(selection.columns()),
        options_(options),
        out_(out),
        lanes_(selection),
        labels_(columns_),
        own_frame_(selection.rows().size(), kNone) {}

  ExportCounts Run() {
    const std::string_view begin =
        R"({"$schema":"https://www.speedscope.app/file-format-schema.json","exporter":"llama",)"
        R"("activeProfileIndex":0,"shared":{"frames":[)";
    out_.text() += begin;
    if (!out_.Keep(kSpeedscopeTailWithoutProfiles.size())) return {};
    bool room = WriteFrames();
    if (room) {
      out_.text() += "\n]},\"profiles\":[";
      room = out_.Keep(kSpeedscopeTail.size());
    }
    if (!room) {
      out_.text() += kSpeedscopeTailWithoutProfiles;
      return std::move(counts_);
    }
    if (WriteSum()) WriteTracks();
    out_.text() += kSpeedscopeTail;
    return std::move(counts_);
  }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;

  void AppendFrame(std::string_view name, std::string_view file) {
    std::string& text = out_.text();
    text += frames_++ == 0 ? "\n{\"name\":" : ",\n{\"name\":";
    AppendJsonString(text, name);
    if (!file.empty()) {
      text += ",\"file\":";
      AppendJsonString(text, file);
    }
    text += '}';
  }

  // One a name, and one of its own for each span that is about something.
  bool WriteFrames() {
    const size_t reserve = kSpeedscopeTailWithoutProfiles.size();
    for (const traces::StringId name : columns_.span_names()) {
      AppendFrame(columns_.text(name), {});
      if (!out_.Keep(reserve)) return false;
    }
    for (size_t i = 0; options_.fields && i < own_frame_.size(); ++i) {
      const Row row = selection_.rows()[i];
      const std::string_view subject = labels_.Subject(row);
      if (subject.empty()) continue;
      own_frame_[i] = frames_;
      AppendFrame(columns_.text(columns_.name()[row]), subject);
      if (!out_.Keep(reserve)) return false;
    }
    return true;
  }

  uint32_t FrameOfName(traces::StringId name) const {
    const auto names = columns_.span_names();
    return static_cast<uint32_t>(std::lower_bound(names.begin(), names.end(), name) -
                                 names.begin());
  }

  // Of one job after the other; a build's own span would hide them.
  std::vector<int64_t> SelfTimeByPath() const {
    std::vector<int64_t> self(columns_.paths().size());
    for (const SelectedTrace& trace : selection_.traces()) {
      if (IsBuildTrace(columns_, trace.trace)) continue;
      for (const Row row : selection_.rows_of(trace)) {
        int64_t& sum = self[columns_.path()[row]];
        sum = traces::AddUp(sum, columns_.self_ns()[row]);
      }
    }
    return self;
  }

  bool WriteSum() {
    const std::vector<int64_t> self = SelfTimeByPath();
    std::string& text = out_.text();
    text +=
        "\n"
        R"({"type":"sampled","name":"all jobs, summed","unit":"nanoseconds",)";
    std::string samples;
    std::string weights;
    int64_t sum = 0;
    for (uint32_t path = 0; path < self.size(); ++path) {
      if (self[path] == 0) continue;
      sum = traces::AddUp(sum, self[path]);
      if (!samples.empty()) samples += ',';
      AppendStack(samples, path);
      if (!weights.empty()) weights += ',';
      AppendInt(weights, self[path]);
    }
    text += R"("startValue":0,"endValue":)";
    AppendInt(text, sum);
    text.append(",\"samples\":[").append(samples).append("],\"weights\":[").append(weights);
    text += "]}";
    return out_.Keep(kSpeedscopeTail.size());
  }

  void AppendStack(std::string& text, uint32_t path) const {
    std::vector<uint32_t> frames;
    for (; path != traces::NamePath::kNoPath; path = columns_.paths()[path].parent) {
      frames.push_back(FrameOfName(columns_.paths()[path].name));
    }
    text += '[';
    for (size_t i = frames.size(); i-- > 0;) {
      AppendInt(text, frames[i]);
      if (i > 0) text += ',';
    }
    text += ']';
  }

  void WriteTracks() {
    for (uint32_t t = 0; t < lanes_.tracks().size(); ++t) {
      if (!WriteTrack(t)) return;
    }
    // Samples of the machine are on no track, and nothing is missing without them.
    counts_.spans = selection_.rows().size();
  }

  bool WriteTrack(uint32_t t) {
    const Track& track = lanes_.tracks()[t];
    std::string& text = out_.text();
    text +=
        ",\n"
        R"({"type":"evented","name":)";
    AppendJsonString(text, labels_.Build(track.build) + ": " + TrackName(track));
    text += R"(,"unit":"nanoseconds","startValue":0,"events":[)";
    if (!out_.Keep(kSpeedscopeTail.size() + kProfileEndBytes)) return false;
    last_ns_ = 0;
    first_event_ = true;
    bool all = true;
    for (const uint32_t i : lanes_.on_track(t)) {
      CloseUntil(lanes_.enclosing(i));
      const size_t reserve = kSpeedscopeTail.size() + kProfileEndBytes + open_.size() * kCloseBytes;
      all = out_.Keep(reserve);  // for the ends there was room
      if (all) {
        AppendEvent('O', i, columns_.start_ns()[selection_.rows()[i]]);
        all = out_.Keep(reserve + kCloseBytes);
      }
      if (!all) break;
      open_.push_back(i);
      ++counts_.spans;
    }
    CloseUntil(kNone);
    text += R"(],"endValue":)";
    AppendInt(text, last_ns_);
    text += '}';
    return all && out_.Keep(kSpeedscopeTail.size());
  }

  void CloseUntil(uint32_t enclosing) {
    while (!open_.empty() && open_.back() != enclosing) {
      AppendEvent('C', open_.back(), columns_.end_ns(selection_.rows()[open_.back()]));
      open_.pop_back();
    }
  }

  void AppendEvent(char type, uint32_t i, int64_t time_ns) {
    int64_t since = 0;
    if (__builtin_sub_overflow(time_ns, selection_.first_start_ns(), &since)) since = INT64_MAX;
    last_ns_ = since;
    std::string& text = out_.text();
    text += first_event_ ? "\n{\"type\":\"" : ",\n{\"type\":\"";
    first_event_ = false;
    text += type;
    text += R"(","frame":)";
    AppendInt(text, own_frame_[i] != kNone ? own_frame_[i]
                                           : FrameOfName(columns_.name()[selection_.rows()[i]]));
    text += R"(,"at":)";
    AppendInt(text, since);
    text += '}';
  }

  const Selection& selection_;
  const traces::Columns& columns_;
  const ExportOptions& options_;
  Output& out_;
  const Lanes lanes_;
  const Labels labels_;
  std::vector<uint32_t> own_frame_;  // by the row's index
  uint32_t frames_ = 0;
  std::vector<uint32_t> open_;
  bool first_event_ = true;
  int64_t last_ns_ = 0;
  ExportCounts counts_;
};

}  // namespace

ExportCounts WriteSpeedscope(const Selection& selection, const ExportOptions& options,
                             Output& out) {
  return SpeedscopeWriter(selection, options, out).Run();
}

}  // namespace llama::exports
