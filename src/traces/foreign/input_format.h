// What a file with a trace is in: ours, another that is read, or one that is told by its name.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace llama::traces {

enum class InputFormat {
  kLines,   // a span a line; what nothing else is known to be, too
  kChrome,  // Chrome's Trace Event Format in JSON: an array, or an object with traceEvents
  kOtlp,    // OTLP in JSON: an object with resourceSpans, or several
};

// How much of a file FormatOf wants to see, uncompressed.
inline constexpr size_t kFormatBytes = size_t{64} << 10;

// By how the file begins. kInvalid for a format that is not read: it names the format, and what can
// be done.
Result<InputFormat> FormatOf(std::string_view head, const std::string& name);

}  // namespace llama::traces
