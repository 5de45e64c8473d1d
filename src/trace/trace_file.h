// The trace file of a build: newline-delimited JSON in concatenated zstd frames. A frame holds
// whole lines only and is appended by one write(2), so the file is readable at any time, whoever
// dies, and several processes may append to it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "trace/span.h"

namespace llama::trace {

// Thread-safe. Lines gather in memory and are written when 256 KiB are there or at Flush(); the
// owner calls Flush about once a second. Bounded: past 64 MiB that can't be written, spans are
// dropped and counted.
class TraceWriter {
 public:
  // Creates the file (0600) or appends to it. Until it is closed it has a shared lock (flock),
  // which tells those who would delete it that somebody writes.
  static Result<std::unique_ptr<TraceWriter>> Open(const std::string& path);
  ~TraceWriter();  // flushes
  void Add(const Span& span);
  Result<void> Flush();
  uint64_t dropped() const;

 private:
  class Impl;
  explicit TraceWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Calls `line` with every line (without its newline) of a plain or zstd-compressed trace file. A
// truncated last frame or line is not an error: what can be read before it is delivered, and
// `truncated`, if given, is set.
Result<void> ReadTraceLines(const std::string& path,
                            const std::function<void(std::string_view)>& line,
                            bool* truncated = nullptr);

}  // namespace llama::trace
