// Trace files: frames of zstd or plain lines, whole or cut off anywhere.
#include <vector>

#include "base/fuzz.h"
#include "trace/trace_file.h"

namespace llama::trace {
namespace {

constexpr size_t kMaxLineBytes = 4u << 20;  // as docs/trace_format.md has it

std::vector<std::string> Lines(std::string_view bytes, bool& truncated) {
  static FuzzFile file;
  std::vector<std::string> lines;
  size_t held = 0;
  const auto take = [&](std::string_view line) {
    CHECK(!line.empty() && line.size() <= kMaxLineBytes);
    CHECK(line.find('\n') == std::string_view::npos);
    // A few bytes may stand for gigabytes of lines; the target's own memory is not the question.
    held += line.size();
    if (held < kMaxLineBytes) lines.emplace_back(line);
  };
  CHECK(ReadTraceLines(file.Put(bytes), take, &truncated).has_value());
  return lines;
}

}  // namespace

FUZZ_TARGET(bytes) {
  bool truncated = false;
  std::string plain;
  const std::vector<std::string> lines = Lines(bytes, truncated);
  for (const std::string& line : lines) {
    if (line.back() == '\r' || line.starts_with('\x28')) return;
    plain += line + "\n";
  }
  CHECK(Lines(plain, truncated) == lines && !truncated);
}

}  // namespace llama::trace
