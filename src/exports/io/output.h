// Output: a document on its way into a sink, in chunks, so that no document is in memory as a
// whole. It keeps the bound on the document's size: records are appended to text() and then kept or
// taken back, so that what comes out ends properly wherever it stops.
//
//   out.text() += "[";
//   for (…) {
//     AppendRecord(out.text(), …);
//     if (!out.Keep(tail.size())) break;   // full: that record is not in it
//   }
//   out.text() += "]";
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "base/result.h"
#include "exports/io/sink.h"

namespace llama::exports {

class Output {
 public:
  static constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();
  static constexpr size_t kChunkBytes = 256 << 10;

  explicit Output(Sink& sink, uint64_t max_bytes = kNoLimit) : sink_(sink), max_bytes_(max_bytes) {}

  std::string& text() { return text_; }
  // Whether what was appended since the last Keep stays: if with `reserve` more bytes, those that
  // end the document, it is within the limit. If not, it is gone, and so is whatever is appended
  // after a failed write. False once, false for ever: what ends the document is not to be kept.
  bool Keep(size_t reserve = 0);
  bool full() const { return full_; }
  // Writes what is left. The first error of any write.
  Result<void> Finish();
  uint64_t bytes() const { return written_ + text_.size(); }

 private:
  void Flush();

  Sink& sink_;
  const uint64_t max_bytes_;
  std::string text_;
  size_t kept_ = 0;  // of text_
  uint64_t written_ = 0;
  bool full_ = false;
  std::optional<Error> error_;
};

}  // namespace llama::exports
