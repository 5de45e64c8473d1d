// LineReader: cuts an input into lines and has them parsed; what is no span is counted. Documents
// of other formats are turned into lines first.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "traces/foreign/span_sink.h"
#include "traces/load/load_limit.h"
#include "traces/load/span_parser.h"
#include "traces/load/trace_input.h"

namespace llama::traces {

class LineReader final : public SpanSink {
 public:
  // `name` is what the report calls the input; `limit` knows what was read before it, and counts
  // on.
  LineReader(TableBuilder& builder, LoadLimit& limit, std::string name);
  // All of it. An error if it can't be read, has more than kMaxRows spans, or would take what is
  // out of proportion to its size.
  Result<void> Read(TraceInput& input);
  // The same of one document, kept in memory as a whole, which `read` hands on as lines. kInvalid
  // if it has more than kMaxDocumentBytes.
  using ReadParts = void (*)(std::string_view document, SpanSink& out);
  Result<void> ReadDocument(TraceInput& input, ReadParts read);

  void Add(const std::string& line) override;
  void Reject(const char* wrong) override;
  void RejectTooLong() override;
  bool HasRoom(uint64_t held_bytes) override;
  void NoteCutOff() override { cut_off_ = true; }
  const std::string& name() const override { return name_; }

 private:
  size_t Capacity() const { return buffer_.size() - SpanParser::kPaddingBytes; }
  void MakeRoom();
  void DropHeld(size_t bytes);
  void TakeLines(size_t size);
  void Take(std::string_view line);
  void LeaveOut(const char* wrong);
  void LeaveOutTooLong();
  // `block` of the input was read.
  Result<void> Count(const TraceInput& input, const TraceInput::Block& block);
  Result<void> CheckRoom(uint64_t held_bytes) const;
  void FinishLastLine();

  TableBuilder& builder_;
  SpanParser parser_;
  LoadLimit& limit_;
  LoadReport& report_;
  const std::string name_;
  std::vector<char> buffer_;
  size_t held_ = 0;        // bytes at the buffer's front: a line begun, without a newline
  bool skipping_ = false;  // inside a line that is too long
  bool cut_off_ = false;   // a line was lost
  std::optional<Error> no_room_;
  uint64_t document_bytes_ = 0;
  uint64_t file_bytes_ = 0;   // of the input, counted in limit_
  uint64_t line_number_ = 0;  // of a document: of its part
};

}  // namespace llama::traces
