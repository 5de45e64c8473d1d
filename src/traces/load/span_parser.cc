#include "traces/load/span_parser.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>

#include "trace/span.h"
#include "traces/load/json_reader.h"

namespace llama::traces {
namespace {

namespace ondemand = simdjson::ondemand;
static_assert(SpanParser::kPaddingBytes >= simdjson::SIMDJSON_PADDING);

// No build takes longer; what claims to would only make sums overflow.
constexpr int64_t kMaxDurationNs = int64_t{366} * 24 * 3600 * 1'000'000'000;

constexpr const char* kBadJson = "not a JSON object";
constexpr const char* kBadFields = "the fields can't be read";

// What a line has to have, as it is found.
struct Head : SpanHead {
  bool has_trace = false;
  bool has_span = false;
  bool has_name = false;
  bool has_start = false;
  bool has_duration = false;
};

enum class Key { kTrace, kSpan, kParent, kName, kStart, kDuration, kFields, kOther };

Key KeyOf(std::string_view key) {
  // `metrics` and `labels` were the original's before it had `fields`.
  if (key == "trace_id") return Key::kTrace;
  if (key == "span_id") return Key::kSpan;
  if (key == "parent_id") return Key::kParent;
  if (key == "name") return Key::kName;
  if (key == "start") return Key::kStart;
  if (key == "duration") return Key::kDuration;
  if (key == "fields" || key == "metrics" || key == "labels") return Key::kFields;
  return Key::kOther;
}

}  // namespace

class SpanParser::Impl {
 public:
  explicit Impl(TableBuilder& builder) : builder_(builder) {}

  const char* Parse(std::string_view line) {
    line_end_ = line.data() + line.size();
    builder_.BeginRow();
    Head head;
    if (ReadUsual(line, head)) {
      builder_.AddRow(head);
      return nullptr;
    }
    builder_.BeginRow();
    head = {};
    if (const char* wrong = Read(line, head)) return wrong;
    if (!head.has_trace) return "no trace_id";
    if (!head.has_span) return "no span_id";
    if (!head.has_name) return "no name";
    if (!head.has_start) return "no start";
    if (!head.has_duration) return "no duration";
    int64_t end_ns = 0;
    if (__builtin_add_overflow(head.start_ns, head.duration_ns, &end_ns)) return "it never ends";
    builder_.AddRow(head);
    return nullptr;
  }

 private:
  // A line as we and the original write it: these keys in this order and no blanks. Twice as fast
  // as Read, and in no case says anything else.
  bool ReadUsual(std::string_view line, Head& head) {
    UsualHead usual;
    if (!ReadUsualHead(line, usual)) return false;
    int64_t end_ns = 0;
    if (!UsualTraceId(usual.trace_id, head.trace_id) || !ReadHex64(usual.span_id, head.span_id) ||
        head.span_id == 0 ||
        (!usual.parent_id.empty() && !ReadHex64(usual.parent_id, head.parent_id)) ||
        !times_.Read(usual.start, head.start_ns) || usual.duration_ns > kMaxDurationNs ||
        __builtin_add_overflow(head.start_ns, usual.duration_ns, &end_ns)) {
      return false;
    }
    head.duration_ns = usual.duration_ns;
    if (usual.fields != "{}") {
      ondemand::document document;
      ondemand::object object;
      if (parser_
              .iterate(usual.fields.data(), usual.fields.size(),
                       usual.fields.size() + kPaddingBytes)
              .get(document) ||
          document.get_object().get(object) || ReadFieldsOf(object) != nullptr ||
          document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
        return false;
      }
    }
    head.name = Name(usual.name);
    return true;
  }

  // Mostly that of the line before.
  bool UsualTraceId(std::string_view text, trace::TraceId& id) {
    if (text != last_trace_text_) {
      if (!ReadTraceId(text, last_trace_id_)) {
        last_trace_text_.clear();
        return false;
      }
      last_trace_text_ = text;
    }
    id = last_trace_id_;
    return true;
  }

  const char* Read(std::string_view line, Head& head) {
    ondemand::document document;
    ondemand::object object;
    if (parser_.iterate(line.data(), line.size(), line.size() + kPaddingBytes).get(document) ||
        document.get_object().get(object)) {
      return kBadJson;
    }
    for (auto member : object) {
      ondemand::raw_json_string raw;
      ondemand::value value;
      if (member.key().get(raw)) return kBadJson;
      const auto key = Text(raw);
      if (!key || member.value().get(value)) return kBadJson;
      if (const char* wrong = ReadMember(KeyOf(*key), value, head)) return wrong;
    }
    // What follows the object makes the line something else than a span.
    return document.current_location().error() == simdjson::OUT_OF_BOUNDS ? nullptr : kBadJson;
  }

  const char* ReadMember(Key key, ondemand::value& value, Head& head) {
    switch (key) {
      case Key::kTrace: {
        const auto text = String(value);
        head.has_trace = text && ReadTraceId(*text, head.trace_id);
        return head.has_trace ? nullptr : "trace_id is not 16 or 32 hexadecimal digits, not all 0";
      }
      case Key::kSpan: {
        const auto text = String(value);
        head.has_span = text && ReadHex64(*text, head.span_id) && head.span_id != 0;
        return head.has_span ? nullptr : "span_id is not 16 hexadecimal digits, not all 0";
      }
      case Key::kParent: {
        if (Raw(value) == "null") return Skip(value);
        const auto text = String(value);
        const bool ok = text && (text->empty() || ReadHex64(*text, head.parent_id));
        return ok ? nullptr : "parent_id is neither empty nor 16 hexadecimal digits";
      }
      case Key::kName: {
        const auto text = String(value);
        if (!text) return "name is no string";
        head.name = Name(*text);
        head.has_name = true;
        return nullptr;
      }
      case Key::kStart: {
        const auto text = String(value);
        head.has_start = text && times_.Read(*text, head.start_ns);
        return head.has_start ? nullptr : "start is no RFC 3339 time";
      }
      case Key::kDuration:
        return ReadDuration(value, head);
      case Key::kFields:
        return ReadFields(value);
      case Key::kOther:
        return Skip(value);
    }
    return kBadJson;
  }

  const char* ReadDuration(ondemand::value& value, Head& head) {
    int64_t ns = 0;
    if (value.get_int64().get(ns)) {
      double number = 0;  // 3.0 or 3e9: an integer to others
      if (value.get_double().get(number)) return "duration is no number";
      if (!(number >= -1e18 && number <= 1e18)) return "duration is beyond a year";
      ns = static_cast<int64_t>(number);
    }
    if (ns < 0) return "duration is negative";
    if (ns > kMaxDurationNs) return "duration is beyond a year";
    head.duration_ns = ns;
    head.has_duration = true;
    return nullptr;
  }

  const char* ReadFields(ondemand::value& value) {
    if (Raw(value) == "null") return Skip(value);
    ondemand::object object;
    if (value.get_object().get(object)) return "fields is no object";
    return ReadFieldsOf(object);
  }

  const char* ReadFieldsOf(ondemand::object& object) {
    for (auto member : object) {
      ondemand::raw_json_string raw;
      ondemand::value field;
      if (member.key().get(raw)) return kBadFields;
      auto [id, key_bytes] = builder_.ExpectedKey(raw.raw(), line_end_);
      if (key_bytes == 0) {
        const auto key = Text(raw);
        if (!key) return kBadFields;
        id = builder_.Key(*key);
      }
      if (member.value().get(field)) return kBadFields;
      const auto read = ReadValue(id, field);
      if (!read) return kBadFields;
      builder_.Set(id, *read);
    }
    return nullptr;
  }

  std::optional<Value> ReadValue(FieldId id, ondemand::value& value) {
    ondemand::json_type type{};
    if (value.type().get(type)) return std::nullopt;
    switch (type) {
      case ondemand::json_type::string: {
        const auto text = String(value);
        if (!text) return std::nullopt;
        return Value::String(builder_.FieldText(id, *text));
      }
      case ondemand::json_type::number:
        return ReadNumber(id, value);
      case ondemand::json_type::boolean: {
        bool flag = false;
        if (value.get_bool().get(flag)) return std::nullopt;
        return Value::Bool(flag);
      }
      case ondemand::json_type::null: {
        bool null = false;
        if (value.is_null().get(null) || !null) return std::nullopt;
        return Value{};
      }
      case ondemand::json_type::array:
      case ondemand::json_type::object:
        return ReadNested(id, value);
    }
    return std::nullopt;
  }

  std::optional<Value> ReadNumber(FieldId id, ondemand::value& value) {
    const std::string_view text = Raw(value);
    ondemand::number number;
    if (value.get_number().get(number) == simdjson::SUCCESS) {
      if (number.is_int64()) return Value::Int(number.get_int64());
      if (number.is_double()) return Value::Double(number.get_double());
      return Value::Json(builder_.FieldText(id, text));
    }
    // Too large for 64 bits or for a double, but a number.
    if (!IsJsonNumber(text) || Skip(value) != nullptr) return std::nullopt;
    return Value::Json(builder_.FieldText(id, text));
  }

  // On-demand parsing does not look into what it skips; whoever writes JSON relies on it.
  std::optional<Value> ReadNested(FieldId id, ondemand::value& value) {
    std::string_view text;
    ondemand::json_type type{};
    if (value.type().get(type)) return std::nullopt;
    if (type == ondemand::json_type::array) {
      ondemand::array array;
      if (value.get_array().get(array) || array.raw_json().get(text)) return std::nullopt;
    } else {
      ondemand::object object;
      if (value.get_object().get(object) || object.raw_json().get(text)) return std::nullopt;
    }
    simdjson::dom::element ignored;
    if (nested_.parse(text.data(), text.size()).get(ignored)) return std::nullopt;
    return Value::Json(builder_.FieldText(id, text));
  }

  // The value's text up to the next token, without blanks behind it.
  static std::string_view Raw(ondemand::value& value) { return TrimJson(value.raw_json_token()); }

  static const char* Skip(ondemand::value&) { return nullptr; }  // the iterator does, by itself

  std::optional<std::string_view> String(ondemand::value& value) {
    ondemand::raw_json_string raw;
    if (value.get_raw_json_string().get(raw)) return std::nullopt;
    return Text(raw);
  }

  std::optional<std::string_view> Text(const ondemand::raw_json_string& raw) {
    return ReadJsonString(raw.raw(), line_end_, scratch_);
  }

  // Spans have few names.
  StringId Name(std::string_view text) {
    StringId& known =
        names_[(text.empty() ? 0u : static_cast<unsigned char>(text[0]) * 7u) % names_.size()];
    if (builder_.strings()[known] != text) known = builder_.strings().Add(text);
    return known;
  }

  TableBuilder& builder_;
  const char* line_end_ = nullptr;
  ondemand::parser parser_;
  simdjson::dom::parser nested_;
  std::string scratch_;
  TimeReader times_;
  std::string last_trace_text_;
  trace::TraceId last_trace_id_;
  std::array<StringId, 64> names_{};
};

SpanParser::SpanParser(TableBuilder& builder) : impl_(std::make_unique<Impl>(builder)) {}
SpanParser::~SpanParser() = default;
const char* SpanParser::Parse(std::string_view line) { return impl_->Parse(line); }

}  // namespace llama::traces
