#include "traces/foreign/chrome_reader.h"

#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/text/json.h"
#include "trace/span.h"
#include "traces/foreign/foreign_span.h"
#include "traces/foreign/json_parts.h"

namespace llama::traces {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

constexpr uint64_t kSourceSeed = 0x6368726f6d65;
// Of microseconds: as nanoseconds they still fit 64 bits.
constexpr double kMaxTimeUs = 9e15;
// Of an entry in one of the maps below, besides its texts.
constexpr uint64_t kEntryBytes = 256;

std::string TextOf(const object& event, std::string_view key) {
  std::string_view text;
  return event[key].get_string().get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

// A process, a thread and an id may be numbers or strings.
std::string IdOf(const object& event, std::string_view key) {
  element value;
  if (event[key].get(value) != simdjson::SUCCESS) return "";
  return simdjson::minify(value);
}

std::optional<int64_t> TimeOf(const object& event, std::string_view key) {
  double us = 0;
  // Not at once times 1000: a double holds microseconds since the epoch with their fractions, but
  // no nanoseconds.
  if (event[key].get_double().get(us) != simdjson::SUCCESS) return std::nullopt;
  if (!(us >= -kMaxTimeUs && us <= kMaxTimeUs)) return std::nullopt;
  const double whole = std::floor(us);
  return static_cast<int64_t>(whole) * 1000 + std::llround((us - whole) * 1000);
}

class ChromeReader {
 public:
  explicit ChromeReader(SpanSink& out) : out_(out), source_(Hash(out.name(), kSourceSeed)) {}

  void Read(std::string_view document) {
    const std::string_view text = WithoutLeadingBlanks(document);
    const bool is_array = text.starts_with('[');
    std::string_view events = text;
    if (!is_array) {
      events = JsonMember(text, "traceEvents");
      ReadBase(text);
    }
    JsonParts parts(events);
    while (parts.Next()) {
      ReadEvent(parts.value());
      if (!out_.HasRoom(held_bytes_)) return;
    }
    if (parts.is_cut_off() && !is_array) out_.NoteCutOff();
    for (const auto& [track, stack] : open_) {
      for (size_t i = 0; i < stack.size(); ++i) out_.Reject("begins and never ends");
    }
    Nest();
  }

 private:
  struct Event {
    std::string name;
    std::string fields;  // as of ForeignSpan
    int64_t start_ns = 0;
    int64_t duration_ns = 0;
    uint32_t track = 0;
  };
  // As an event's args say; of llama's own both.
  struct Ids {
    std::string trace_id;
    std::string span_id;
    std::string parent_id;
  };
  struct Track {
    std::string process;
    std::string thread;  // or, of what is asynchronous, its id
  };

  // When its times begin: llama's own say so, and clang's.
  void ReadBase(std::string_view root) {
    const std::string_view start =
        JsonPlainString(JsonMember(JsonMember(root, "otherData"), "start"));
    if (const auto start_ns = trace::ParseTime(start)) {
      base_ns_ = *start_ns;
      return;
    }
    const std::string_view since = JsonMember(root, "beginningOfTime");
    element value;
    int64_t us = 0;
    if (since.empty() ||
        parser_.parse(since.data(), since.size()).get(value) != simdjson::SUCCESS ||
        value.get_int64().get(us) != simdjson::SUCCESS) {
      return;
    }
    if (us >= 0 && us <= static_cast<int64_t>(kMaxTimeUs)) base_ns_ = us * 1000;
  }

  void ReadEvent(std::string_view text) {
    if (text.size() > kMaxPartBytes) return out_.RejectTooLong();
    element root;
    object event;
    if (parser_.parse(text.data(), text.size()).get(root) != simdjson::SUCCESS ||
        root.get_object().get(event) != simdjson::SUCCESS) {
      return out_.Reject("not a JSON object");
    }
    const std::string phase = TextOf(event, "ph");
    if (phase == "M") return ReadName(event);
    if (phase == "X" || phase == "B" || phase == "b") return Begin(event, phase);
    if (phase == "E" || phase == "e") return End(event, phase);
    if (phase.empty()) out_.Reject("no ph");
  }

  // Of a process or a thread.
  void ReadName(const object& event) {
    object args;
    if (event["args"].get_object().get(args) != simdjson::SUCCESS) return;
    const std::string what = TextOf(event, "name");
    const std::string name = TextOf(args, "name");
    const std::string process = IdOf(event, "pid");
    held_bytes_ += kEntryBytes + name.size() + process.size();
    if (what == "process_name") process_names_[process] = name;
    if (what == "thread_name") thread_names_[{process, IdOf(event, "tid")}] = name;
  }

  uint32_t TrackOf(const object& event, const std::string& phase) {
    const bool is_async = phase == "b" || phase == "e";
    std::string thread = IdOf(event, is_async ? "id" : "tid");
    if (is_async) thread = "async " + TextOf(event, "cat") + " " + thread;
    const std::pair key(IdOf(event, "pid"), std::move(thread));
    const auto [found, is_new] = track_numbers_.try_emplace(key, tracks_.size());
    if (is_new) {
      tracks_.push_back({key.first, key.second});
      held_bytes_ += kEntryBytes + 2 * (key.first.size() + key.second.size());
    }
    return found->second;
  }

  void Begin(const object& event, const std::string& phase) {
    const auto start_ns = TimeOf(event, "ts");
    if (!start_ns) return out_.Reject("ts is no time in microseconds");
    Event begun;
    Ids ids;
    begun.track = TrackOf(event, phase);
    begun.name = TextOf(event, "name");
    if (__builtin_add_overflow(base_ns_, *start_ns, &begun.start_ns)) {
      return out_.Reject("ts is no time in microseconds");
    }
    ReadArgs(event, begun.fields, ids);
    const std::string category = TextOf(event, "cat");
    begun.duration_ns = TimeOf(event, "dur").value_or(0);
    // llama's own events have ids, and their span's name as their category: what they are called
    // has the source's name in it.
    if (phase == "X" && ids.trace_id.size() == 32 && ids.span_id.size() == 16) {
      if (!category.empty()) begun.name = category;
      return Emit(std::move(begun), std::move(ids));
    }
    AppendText(begun, "trace_id", ids.trace_id);
    AppendText(begun, "span_id", ids.span_id);
    AppendText(begun, "parent_id", ids.parent_id);
    AppendText(begun, "cat", category);
    // An array that grows is there twice for a moment.
    held_bytes_ += 2 * sizeof begun + begun.name.size() + begun.fields.size();
    std::vector<Event>& kept = phase == "X" ? events_ : open_[begun.track];
    kept.push_back(std::move(begun));
  }

  static void AppendText(Event& event, std::string_view key, const std::string& value) {
    if (value.empty()) return;
    std::string text;
    AppendJsonString(text, value);
    AppendMember(event.fields, key, text);
  }

  void End(const object& event, const std::string& phase) {
    const auto end_ns = TimeOf(event, "ts");
    std::vector<Event>& stack = open_[TrackOf(event, phase)];
    int64_t at_ns = 0;
    if (!end_ns || __builtin_add_overflow(base_ns_, *end_ns, &at_ns)) {
      return out_.Reject("ts is no time in microseconds");
    }
    if (stack.empty()) return out_.Reject("ends and never began");
    Event begun = std::move(stack.back());
    stack.pop_back();
    Ids ids;
    ReadArgs(event, begun.fields, ids);
    if (__builtin_sub_overflow(at_ns, begun.start_ns, &begun.duration_ns)) {
      return out_.Reject("dur is no time in microseconds");
    }
    events_.push_back(std::move(begun));
  }

  static void ReadArgs(const object& event, std::string& fields, Ids& ids) {
    object args;
    if (event["args"].get_object().get(args) != simdjson::SUCCESS) return;
    for (const auto& arg : args) {
      std::string_view text;
      const bool is_text = arg.value.get_string().get(text) == simdjson::SUCCESS;
      if (is_text && arg.key == "trace_id") {
        ids.trace_id = text;
      } else if (is_text && arg.key == "span_id") {
        ids.span_id = text;
      } else if (is_text && arg.key == "parent_id") {
        ids.parent_id = text;
      } else {
        AppendMember(fields, arg.key, simdjson::minify(arg.value));
      }
    }
  }

  void Emit(Event event, Ids ids) {
    out_.Add(LineOf({std::move(ids.trace_id), std::move(ids.span_id), std::move(ids.parent_id),
                     std::move(event.name), event.start_ns, event.duration_ns,
                     std::move(event.fields)}));
  }

  // Enclosing ones first.
  void Nest() {
    std::stable_sort(events_.begin(), events_.end(), [](const Event& a, const Event& b) {
      if (a.track != b.track) return a.track < b.track;
      if (a.start_ns != b.start_ns) return a.start_ns < b.start_ns;
      return a.duration_ns > b.duration_ns;
    });
    std::vector<size_t> around;
    for (size_t i = 0; i < events_.size() && out_.HasRoom(held_bytes_); ++i) {
      Event& event = events_[i];
      while (!around.empty() && (events_[around.back()].track != event.track ||
                                 EndOf(events_[around.back()]) < EndOf(event))) {
        around.pop_back();
      }
      Ids ids{trace::Hex(source_) + trace::Hex(uint64_t{event.track} + 1), trace::Hex(i + 1), ""};
      if (!around.empty()) ids.parent_id = trace::Hex(around.back() + 1);
      NameTrack(event);
      // Its times are still to be looked at.
      Emit({std::move(event.name), std::move(event.fields), event.start_ns, event.duration_ns,
            event.track},
           std::move(ids));
      around.push_back(i);
    }
  }

  // One that never ends is told as such when its line is read.
  static int64_t EndOf(const Event& event) {
    int64_t end_ns = 0;
    if (__builtin_add_overflow(event.start_ns, event.duration_ns, &end_ns)) {
      return INT64_MAX;
    }
    return end_ns;
  }

  void NameTrack(Event& event) const {
    const Track& track = tracks_[event.track];
    if (const auto found = process_names_.find(track.process); found != process_names_.end()) {
      AppendText(event, "process", found->second);
    }
    const auto found = thread_names_.find({track.process, track.thread});
    if (found != thread_names_.end()) AppendText(event, "thread", found->second);
  }

  SpanSink& out_;
  const uint64_t source_;  // traces of several files are told apart by it
  simdjson::dom::parser parser_;
  int64_t base_ns_ = 0;
  std::map<std::pair<std::string, std::string>, uint32_t> track_numbers_;
  std::vector<Track> tracks_;
  std::map<std::string, std::string> process_names_;
  std::map<std::pair<std::string, std::string>, std::string> thread_names_;
  std::map<uint32_t, std::vector<Event>> open_;  // by track, the innermost last
  std::vector<Event> events_;
  uint64_t held_bytes_ = 0;  // by all of these
};

}  // namespace

void ReadChrome(std::string_view document, SpanSink& out) { ChromeReader(out).Read(document); }

}  // namespace llama::traces
