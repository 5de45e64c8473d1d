// A span of another format, on its way to a line as ours (docs/trace_format.md): whatever is wrong
// with it is then found by the one parser of those, and counted as of any line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace llama::traces {

struct ForeignSpan {
  std::string trace_id;   // hexadecimal digits
  std::string span_id;    // likewise
  std::string parent_id;  // likewise; empty: a root
  std::string name;
  int64_t start_ns = 0;
  int64_t duration_ns = 0;
  std::string fields;  // members of a JSON object, without the brackets
};

std::string LineOf(const ForeignSpan& span);

// Appends `"key":json`, behind a comma if there is something before it.
void AppendMember(std::string& members, std::string_view key, std::string_view json);

}  // namespace llama::traces
