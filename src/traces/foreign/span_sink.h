// Where the readers of other formats put what they find.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace llama::traces {

// What is larger is no span.
inline constexpr size_t kMaxPartBytes = size_t{4} << 20;

class SpanSink {
 public:
  virtual ~SpanSink() = default;
  // A span, as a line of ours.
  virtual void Add(const std::string& line) = 0;
  // A part of the document that is none, and why. The text is static.
  virtual void Reject(const char* wrong) = 0;
  // One of more than kMaxPartBytes.
  virtual void RejectTooLong() = 0;
  // Whether there is room for this much that the reader itself holds, besides the document, which
  // the sink has, and the spans that it was given. If not, the reader ends here, and the loading
  // fails.
  virtual bool HasRoom(uint64_t held_bytes) = 0;
  // The document has no end.
  virtual void NoteCutOff() = 0;
  // What the document is called.
  virtual const std::string& name() const = 0;
};

}  // namespace llama::traces
