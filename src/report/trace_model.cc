#include "report/trace_model.h"

#include <simdjson.h>

#include <unordered_map>

#include "trace/trace_file.h"

namespace llama::report {
namespace {

namespace ondemand = simdjson::ondemand;

// No build takes longer; what claims to would only make sums overflow.
constexpr int64_t kMaxDurationNs = int64_t{366} * 24 * 3600 * 1'000'000'000;
constexpr size_t kMaxNames = 100'000;

// Every field that some row has, whatever the span; absent ones keep their defaults.
struct Fields {
  std::string build_id, name, command, source, object, reason, rung;
  std::optional<int64_t> status, billed_ms, memory_mb;
  int64_t queued_ns = 0, payload_bytes = 0, answer_bytes = 0, fetched_objects = 0;
  int64_t fetched_bytes = 0, store_requests = 0, uploaded_objects = 0, uploaded_bytes = 0;
  int64_t attempt = 1;
  bool remote = false, cold_start = false, failed = false;
};

struct Line {
  SpanRow row;
  std::string name;
  Fields fields;
  bool has_trace = false, has_span = false, has_parent = true, has_name = false;
  bool has_start = false, has_duration = false;
};

bool ParseHex(std::string_view text, uint64_t& value) {
  if (text.size() != 16) return false;
  value = 0;
  for (const char c : text) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return false;
    value = value << 4 | static_cast<uint64_t>(digit);
  }
  return true;
}

bool ParseTraceId(std::string_view text, trace::TraceId& id) {
  return text.size() == 32 && ParseHex(text.substr(0, 16), id.high) &&
         ParseHex(text.substr(16), id.low);
}

std::optional<std::string_view> AsString(ondemand::value value) {
  std::string_view text;
  if (value.get_string().get(text) != simdjson::SUCCESS) return std::nullopt;
  return text;
}

// An integer, or a number that is one: others write 3.0 for 3.
std::optional<int64_t> AsInt(ondemand::value value) {
  int64_t integer = 0;
  if (value.get_int64().get(integer) == simdjson::SUCCESS) return integer;
  double number = 0;
  if (value.get_double().get(number) != simdjson::SUCCESS) return std::nullopt;
  if (!(number > -9e15 && number < 9e15)) return std::nullopt;
  return static_cast<int64_t>(number);
}

void SetString(ondemand::value value, std::string& out) {
  if (const auto text = AsString(value)) out = *text;
}

void SetBool(ondemand::value value, bool& out) {
  bool flag = false;
  if (value.get_bool().get(flag) == simdjson::SUCCESS) out = flag;
}

void SetCount(ondemand::value value, int64_t& out) {
  if (const auto number = AsInt(value); number && *number >= 0) out = *number;
}

void SetCount(ondemand::value value, std::optional<int64_t>& out) {
  if (const auto number = AsInt(value); number && *number >= 0) out = *number;
}

void ReadField(std::string_view key, ondemand::value value, Fields& out) {
  if (key == "global.build_id") return SetString(value, out.build_id);
  if (key == "name") return SetString(value, out.name);
  if (key == "command") return SetString(value, out.command);
  if (key == "source") return SetString(value, out.source);
  if (key == "object") return SetString(value, out.object);
  if (key == "reason") return SetString(value, out.reason);
  if (key == "rung") return SetString(value, out.rung);
  if (key == "status") return SetCount(value, out.status);
  if (key == "billed_ms") return SetCount(value, out.billed_ms);
  if (key == "memory_mb") return SetCount(value, out.memory_mb);
  if (key == "queued_ns") return SetCount(value, out.queued_ns);
  if (key == "payload_bytes") return SetCount(value, out.payload_bytes);
  if (key == "answer_bytes") return SetCount(value, out.answer_bytes);
  if (key == "fetched_objects") return SetCount(value, out.fetched_objects);
  if (key == "fetched_bytes") return SetCount(value, out.fetched_bytes);
  if (key == "store_requests") return SetCount(value, out.store_requests);
  if (key == "uploaded_objects") return SetCount(value, out.uploaded_objects);
  if (key == "uploaded_bytes") return SetCount(value, out.uploaded_bytes);
  if (key == "attempt") return SetCount(value, out.attempt);
  if (key == "remote") return SetBool(value, out.remote);
  if (key == "cold_start") return SetBool(value, out.cold_start);
  if (key == "error") out.failed = true;
}

bool ReadFields(ondemand::value value, Fields& out) {
  ondemand::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) return false;
  for (auto field : object) {
    std::string_view key;
    ondemand::value field_value;
    if (field.unescaped_key().get(key) != simdjson::SUCCESS) return false;
    if (field.value().get(field_value) != simdjson::SUCCESS) return false;
    ReadField(key, field_value, out);
  }
  return true;
}

// One key of the span itself. False if its value makes the line malformed.
bool ReadKey(std::string_view key, ondemand::value value, Line& out) {
  if (key == "fields") return ReadFields(value, out.fields);
  if (key == "duration") {
    const auto ns = AsInt(value);
    out.has_duration = ns && *ns >= 0 && *ns <= kMaxDurationNs;
    out.row.duration_ns = ns.value_or(0);
    return out.has_duration;
  }
  const bool known = key == "trace_id" || key == "span_id" || key == "parent_id" || key == "name" ||
                     key == "start";
  if (!known) return true;
  if (key == "parent_id" && value.is_null().value_unsafe()) return true;
  const auto text = AsString(value);
  if (!text) return false;
  if (key == "trace_id") return out.has_trace = ParseTraceId(*text, out.row.trace_id);
  if (key == "span_id") return out.has_span = ParseHex(*text, out.row.span_id);
  if (key == "parent_id") return text->empty() || ParseHex(*text, out.row.parent_id);
  if (key == "name") {
    out.name = *text;
    return out.has_name = true;
  }
  const auto start_ns = trace::ParseTime(*text);
  out.has_start = start_ns.has_value();
  out.row.start_ns = start_ns.value_or(0);
  return out.has_start;
}

bool ReadLine(ondemand::parser& parser, std::string& padded, Line& out) {
  const size_t size = padded.size();
  padded.reserve(size + simdjson::SIMDJSON_PADDING);
  ondemand::document document;
  if (parser.iterate(padded.data(), size, padded.capacity()).get(document) != simdjson::SUCCESS) {
    return false;
  }
  ondemand::object object;
  if (document.get_object().get(object) != simdjson::SUCCESS) return false;
  for (auto field : object) {
    std::string_view key;
    ondemand::value value;
    if (field.unescaped_key().get(key) != simdjson::SUCCESS) return false;
    if (field.value().get(value) != simdjson::SUCCESS) return false;
    if (!ReadKey(key, value, out)) return false;
  }
  // Anything behind the object makes it no line of ours; at the end there is no location.
  if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) return false;
  int64_t end_ns = 0;
  return out.has_trace && out.has_span && out.has_name && out.has_start && out.has_duration &&
         !__builtin_add_overflow(out.row.start_ns, out.row.duration_ns, &end_ns);
}

}  // namespace

class TraceReader::Impl {
 public:
  void AddLine(std::string_view text) {
    padded_ = text;
    Line line;
    if (!ReadLine(parser_, padded_, line) || !Intern(line.name, line.row.name)) {
      ++model_.malformed_lines;
      return;
    }
    const size_t span = model_.spans.size();
    model_.spans.push_back(line.row);
    AddRow(span, line);
  }

  TraceModel Take() { return std::move(model_); }

 private:
  bool Intern(const std::string& name, uint32_t& index) {
    const auto known = name_index_.find(name);
    if (known != name_index_.end()) {
      index = known->second;
      return true;
    }
    if (model_.names.size() >= kMaxNames) return false;
    index = static_cast<uint32_t>(model_.names.size());
    model_.names.push_back(name);
    name_index_.emplace(name, index);
    return true;
  }

  void AddRow(size_t span, Line& line) {
    Fields& f = line.fields;
    if (line.name == "llamacc") {
      model_.compiles.push_back({span, f.remote, std::move(f.source), std::move(f.object),
                                 std::move(f.reason), std::move(f.rung), f.status});
    } else if (line.name == "invoke") {
      model_.invokes.push_back({span, f.queued_ns, f.billed_ms, f.memory_mb, f.payload_bytes,
                                f.answer_bytes, f.fetched_objects, f.fetched_bytes, f.attempt,
                                f.cold_start, f.failed});
    } else if (line.name == "sync") {
      model_.syncs.push_back(
          {span, std::max(f.store_requests, f.uploaded_objects), f.uploaded_bytes});
    } else if (line.name == "build") {
      model_.build =
          BuildRow{span, std::move(f.build_id), std::move(f.name), std::move(f.command), f.status};
    }
  }

  ondemand::parser parser_;
  std::string padded_;
  TraceModel model_;
  std::unordered_map<std::string, uint32_t> name_index_;
};

TraceReader::TraceReader() : impl_(std::make_unique<Impl>()) {}
TraceReader::~TraceReader() = default;
void TraceReader::AddLine(std::string_view line) { impl_->AddLine(line); }
TraceModel TraceReader::Take() { return impl_->Take(); }

Result<TraceModel> LoadTrace(const std::string& path) {
  TraceReader reader;
  bool truncated = false;
  TRY(trace::ReadTraceLines(
      path, [&](std::string_view line) { reader.AddLine(line); }, &truncated));
  TraceModel model = reader.Take();
  model.truncated = truncated;
  return model;
}

}  // namespace llama::report
