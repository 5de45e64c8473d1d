// The parts of a trace's line that are read a million times: strings, ids, times. Each reads what
// stands there or says that it can't.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "trace/span.h"

namespace llama::traces {

// The string whose opening quote is before `begin`, up to its closing quote: the bytes themselves
// where nothing is escaped, else unescaped in `scratch`. Nothing if it does not end before `end` or
// an escape is none. (That the bytes are UTF-8 without control characters has been checked.)
std::optional<std::string_view> ReadJsonString(const char* begin, const char* end,
                                               std::string& scratch);

bool IsJsonNumber(std::string_view text);
// Without the blanks at its end.
std::string_view TrimJson(std::string_view text);

bool ReadHex64(std::string_view text, uint64_t& value);  // 16 digits
// 32 digits, or the original's 16; not all 0.
bool ReadTraceId(std::string_view text, trace::TraceId& id);

// The parts of a line that is written as we and the original do: {"trace_id":"…","span_id":"…",
// "parent_id":"…","name":"…","start":"…","duration":123,"fields":{…}}, with no blank and nothing
// else. False for any other line; the parts of one that is may still be wrong.
struct UsualHead {
  std::string_view trace_id;
  std::string_view span_id;
  std::string_view parent_id;
  std::string_view name;  // ASCII, nothing escaped
  std::string_view start;
  int64_t duration_ns = 0;
  std::string_view fields;  // from { on; whether it ends where it should has to be seen
};
bool ReadUsualHead(std::string_view line, UsualHead& head);

// Times that mostly are of the same minute as the one before.
class TimeReader {
 public:
  bool Read(std::string_view text, int64_t& time_ns);

 private:
  char minute_[17] = {};  // "2026-11-22T08:20:"
  int64_t minute_ns_ = 0;
};

}  // namespace llama::traces
