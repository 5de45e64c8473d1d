// What spans come as in headers, lines and messages. After a first byte that says which, an input
// is a traceparent, a time, or a span or context in their binary form.
#include <algorithm>

#include "base/fuzz.h"
#include "trace/span.h"

namespace llama::trace {
namespace {

std::string Encoded(const Span& span) {
  Encoder out;
  Encode(out, span);
  return out.Take();
}

void ReadSpan(std::string_view bytes) {
  Decoder in(bytes);
  const Span span = DecodeSpan(in);
  if (!in.ok()) return;
  CHECK(span.name.size() + span.fields.size() <= bytes.size());
  const std::string once = Encoded(span);
  Decoder again(once);
  CHECK(Encoded(DecodeSpan(again)) == once && again.Done());
  std::string line;
  AppendJsonLine(line, span);
  // Whatever a field holds, it ends no line.
  CHECK(std::count(line.begin(), line.end(), '\n') == 1 && line.ends_with("}\n"));
}

void ReadContext(std::string_view bytes) {
  Decoder in(bytes);
  const Context context = DecodeContext(in);
  if (!in.ok()) return;
  Encoder out;
  Encode(out, context);
  Decoder again(out.str());
  CHECK(DecodeContext(again) == context && again.Done());
}

}  // namespace

FUZZ_TARGET(bytes) {
  switch (TakeByte(bytes) % 4) {
    case 0:
      if (const auto context = ParseTraceparent(bytes)) {
        CHECK(context->valid() && ParseTraceparent(FormatTraceparent(*context)) == context);
      }
      break;
    case 1:
      if (const auto time = ParseTime(bytes)) CHECK(ParseTime(FormatTime(*time)) == time);
      break;
    case 2:
      ReadSpan(bytes);
      break;
    default:
      ReadContext(bytes);
  }
}

}  // namespace llama::trace
