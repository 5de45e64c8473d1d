#include "trace/span.h"

#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/log.h"

namespace llama::trace {
namespace {

// A span that explains itself has some twenty fields; more than this is no span of ours.
constexpr uint64_t kMaxFields = 256;

struct RandomSupply {
  std::array<uint64_t, 16> bits{};
  size_t used = 16;
};

uint64_t RandomBits() {
  // A system call an id would be a third of what recording a span costs. A child that is not
  // another program would give out its parent's ids again: there is none that makes spans.
  thread_local RandomSupply supply;
  if (supply.used == supply.bits.size()) {
    ssize_t n = 0;
    do {
      n = getrandom(supply.bits.data(), sizeof supply.bits, 0);
    } while (n < 0 && errno == EINTR);
    // Up to 256 bytes, getrandom gives all or fails, and it only fails without a kernel behind it.
    CHECK(n == sizeof supply.bits);
    supply.used = 0;
  }
  return supply.bits[supply.used++];
}

bool ParseHex(std::string_view text, uint64_t& value) {
  value = 0;
  for (const char c : text) {
    if (c >= '0' && c <= '9') {
      value = value << 4 | static_cast<uint64_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      value = value << 4 | static_cast<uint64_t>(c - 'a' + 10);
    } else {
      return false;
    }
  }
  return true;
}

void EncodeValue(Encoder& out, const Value& value) {
  out.Uint(value.index());
  if (const auto* i = std::get_if<int64_t>(&value)) out.Int(*i);
  if (const auto* d = std::get_if<double>(&value)) out.Double(*d);
  if (const auto* b = std::get_if<bool>(&value)) out.Bool(*b);
  if (const auto* s = std::get_if<std::string>(&value)) out.Bytes(*s);
}

Value DecodeValue(Decoder& in) {
  switch (in.Uint()) {
    case 0:
      return in.Int();
    case 1:
      return in.Double();
    case 2:
      return in.Bool();
    case 3:
      return in.String();
    default:
      in.Fail();
      return false;
  }
}

}  // namespace

TraceId NewTraceId() {
  TraceId id{RandomBits(), RandomBits()};
  while (!id.valid()) id.low = RandomBits();
  return id;
}

SpanId NewSpanId() {
  SpanId id = RandomBits();
  while (id == 0) id = RandomBits();
  return id;
}

std::string Hex(SpanId id) {
  std::string out(16, '0');
  for (size_t i = 16; i-- > 0; id >>= 4) out[i] = "0123456789abcdef"[id & 15];
  return out;
}

std::string Hex(TraceId id) { return Hex(id.high) + Hex(id.low); }

std::string FormatTraceparent(const Context& context) {
  return "00-" + Hex(context.trace_id) + "-" + Hex(context.span_id) + "-01";
}

std::optional<Context> ParseTraceparent(std::string_view text) {
  constexpr size_t kSize = 55;
  if (text.size() < kSize) return std::nullopt;
  if (text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
  uint64_t version = 0;
  uint64_t flags = 0;
  Context context;
  if (!ParseHex(text.substr(0, 2), version) || version == 0xff) return std::nullopt;
  if (!ParseHex(text.substr(3, 16), context.trace_id.high)) return std::nullopt;
  if (!ParseHex(text.substr(19, 16), context.trace_id.low)) return std::nullopt;
  if (!ParseHex(text.substr(36, 16), context.span_id)) return std::nullopt;
  if (!ParseHex(text.substr(53, 2), flags)) return std::nullopt;
  // A later version may add parts, but not to ours.
  if (text.size() > kSize && (version == 0 || text[kSize] != '-')) return std::nullopt;
  if (!context.valid()) return std::nullopt;
  return context;
}

void Span::Set(std::string_view key, Value value) {
  fields.emplace_back(std::string(key), std::move(value));
}

const Value* Span::Find(std::string_view key) const {
  const auto it =
      std::find_if(fields.rbegin(), fields.rend(), [&](const auto& f) { return f.first == key; });
  return it == fields.rend() ? nullptr : &it->second;
}

Span StartSpan(std::string_view name, const Context& parent, int64_t start_ns) {
  Span span;
  span.trace_id = parent.valid() ? parent.trace_id : NewTraceId();
  span.parent_id = parent.valid() ? parent.span_id : 0;
  span.span_id = NewSpanId();
  span.name = name;
  span.start_ns = start_ns;
  return span;
}

void Encode(Encoder& out, const Context& context) {
  out.Uint(context.trace_id.high);
  out.Uint(context.trace_id.low);
  out.Uint(context.span_id);
}

Context DecodeContext(Decoder& in) {
  Context context;
  context.trace_id.high = in.Uint();
  context.trace_id.low = in.Uint();
  context.span_id = in.Uint();
  return context;
}

void Encode(Encoder& out, const Span& span) {
  Encode(out, span.context());
  out.Uint(span.parent_id);
  out.Bytes(span.name);
  out.Int(span.start_ns);
  out.Int(span.duration_ns);
  // The decoder takes no more than this; the last of equal keys counts, so the last ones stay.
  const size_t skipped = span.fields.size() > kMaxFields ? span.fields.size() - kMaxFields : 0;
  out.Uint(span.fields.size() - skipped);
  for (size_t i = skipped; i < span.fields.size(); ++i) {
    out.Bytes(span.fields[i].first);
    EncodeValue(out, span.fields[i].second);
  }
}

Span DecodeSpan(Decoder& in) {
  Span span;
  const Context context = DecodeContext(in);
  span.trace_id = context.trace_id;
  span.span_id = context.span_id;
  span.parent_id = in.Uint();
  span.name = in.String();
  span.start_ns = in.Int();
  span.duration_ns = in.Int();
  const uint64_t count = in.Count(3, sizeof(span.fields[0]));
  if (count > kMaxFields) in.Fail();
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    std::string key = in.String();
    Value value = DecodeValue(in);
    span.fields.emplace_back(std::move(key), std::move(value));
  }
  return span;
}

}  // namespace llama::trace
