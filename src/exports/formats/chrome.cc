// Chrome's Trace Event Format: complete events ("X"), names as metadata ("M"), counters ("C"). A
// build is a process, a track a thread.
//
// Times are microseconds since the first span, in whole eighths, rounded down: binary fractions, so
// that start + duration is exact in the doubles that viewers reckon with. With decimal fractions a
// slice may end a hair after the next one begins, and DevTools then does not draw it.
#include "base/text/json.h"
#include "exports/formats/formats.h"
#include "exports/io/json_writer.h"
#include "exports/spans/counters.h"
#include "exports/spans/labels.h"
#include "exports/spans/lanes.h"
#include "trace/span.h"

namespace llama::exports {
namespace {

constexpr std::string_view kChromeTail = "\n]}\n";

class ChromeWriter {
 public:
  ChromeWriter(const Selection& selection, const ExportOptions& options, Output& out)
      : selection_(selection),
        columns_(selection.columns()),
        options_(options),
        out_(out),
        lanes_(selection),
        labels_(columns_),
        keys_(columns_, {"trace_id", "span_id", "parent_id"}) {}

  ExportCounts Run() {
    std::string& text = out_.text();
    text += R"({"displayTimeUnit":"ms","otherData":{"start":")";
    text += trace::FormatTime(selection_.first_start_ns());
    text += R"("},"traceEvents":[)";
    if (!out_.Keep(kChromeTail.size())) return {};
    NameTracks();
    WriteSpans();
    WriteCounters();
    // A limit below the shortest document leaves nothing.
    text += kChromeTail;
    return std::move(counts_);
  }

 private:
  std::string& BeginEvent() {
    std::string& text = out_.text();
    text += first_ ? "\n" : ",\n";
    first_ = false;
    return text;
  }
  bool Keep() { return out_.Keep(kChromeTail.size()); }

  static uint32_t Pid(uint32_t build) { return build + 1; }

  void AppendMetadata(std::string_view what, uint32_t pid, uint32_t tid, std::string_view name) {
    std::string& text = BeginEvent();
    text += R"({"ph":"M","pid":)";
    AppendInt(text, pid);
    text += R"(,"tid":)";
    AppendInt(text, tid);
    text += R"(,"name":")";
    text += what;
    text += R"(","args":{"name":)";
    AppendJsonString(text, name);
    text += "}}";
    Keep();
  }

  void NameTracks() {
    const auto tracks = lanes_.tracks();
    for (uint32_t t = 0; t < tracks.size(); ++t) {
      const uint32_t pid = Pid(tracks[t].build);
      if (t == 0 || tracks[t].build != tracks[t - 1].build) {
        AppendMetadata("process_name", pid, t + 1, labels_.Build(tracks[t].build));
      }
      AppendMetadata("thread_name", pid, t + 1, TrackName(tracks[t]));
    }
  }

  void WriteSpans() {
    for (size_t i = 0; i < selection_.rows().size(); ++i) {
      const uint32_t track = lanes_.track(i);
      // Samples of the machine are counters: as such they are in it.
      if (track != Lanes::kNone) AppendSpan(selection_.rows()[i], track);
      if (!Keep()) return;
      ++counts_.spans;
    }
  }

  void AppendSpan(Row row, uint32_t track) {
    std::string& text = BeginEvent();
    const std::string_view name = columns_.text(columns_.name()[row]);
    const std::string_view subject = labels_.Subject(row);
    text += R"({"ph":"X","name":)";
    if (subject.empty()) {
      AppendJsonString(text, name);
    } else {
      title_.assign(name).append(" ").append(subject);
      AppendJsonString(text, title_);
    }
    text += R"(,"cat":)";
    AppendJsonString(text, name);
    text += R"(,"pid":)";
    AppendInt(text, Pid(lanes_.tracks()[track].build));
    text += R"(,"tid":)";
    AppendInt(text, track + 1);
    text += R"(,"ts":)";
    const int64_t start = Eighths(columns_.start_ns()[row]);
    AppendEighths(text, start);
    text += R"(,"dur":)";
    AppendEighths(text, Eighths(columns_.end_ns(row)) - start);
    if (options_.fields) AppendArgs(text, row);
    text += '}';
  }

  void AppendArgs(std::string& text, Row row) {
    text += R"(,"args":{)";
    if (AppendFields(text, columns_, keys_, row)) text += ',';
    text += R"("trace_id":")";
    AppendHex(text, columns_.traces()[columns_.trace()[row]]);
    text += R"(","span_id":")";
    AppendHex(text, columns_.span_id()[row]);
    if (columns_.parent_id()[row] != 0) {
      text += R"(","parent_id":")";
      AppendHex(text, columns_.parent_id()[row]);
    }
    text += R"("})";
  }

  void WriteCounters() {
    for (const Counter& counter : CountersOf(selection_)) {
      for (const CounterPoint& point : counter.points) {
        AppendCounter(counter, point);
        if (!Keep()) return;
      }
    }
  }

  void AppendCounter(const Counter& counter, const CounterPoint& point) {
    std::string& text = BeginEvent();
    text += R"({"ph":"C","name":)";
    AppendJsonString(text, counter.name);
    text += R"(,"pid":)";
    AppendInt(text, Pid(counter.build));
    text += R"(,"ts":)";
    AppendEighths(text, Eighths(point.time_ns));
    text += R"(,"args":{)";
    for (size_t i = 0; i < counter.series.size(); ++i) {
      if (i > 0) text += ',';
      AppendJsonString(text, counter.series[i]);
      text += ':';
      AppendDouble(text, point.values[i]);
    }
    text += "}}";
  }

  // Of a microsecond, since the first span. Starts may be as far apart as int64 allows; what does
  // not fit is not worth being right.
  int64_t Eighths(int64_t time_ns) const {
    int64_t since_ns = 0;
    if (__builtin_sub_overflow(time_ns, selection_.first_start_ns(), &since_ns)) {
      since_ns = INT64_MAX;
    }
    return since_ns / 1000 * 8 + since_ns % 1000 * 8 / 1000;
  }

  static void AppendEighths(std::string& text, int64_t eighths) {
    AppendDecimal(text, eighths * 125, 3);
  }

  const Selection& selection_;
  const traces::Columns& columns_;
  const ExportOptions& options_;
  Output& out_;
  const Lanes lanes_;
  const Labels labels_;
  const FieldKeys keys_;
  std::string title_;
  ExportCounts counts_;
  bool first_ = true;
};

}  // namespace

ExportCounts WriteChrome(const Selection& selection, const ExportOptions& options, Output& out) {
  return ChromeWriter(selection, options, out).Run();
}

}  // namespace llama::exports
