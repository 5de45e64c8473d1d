// Formats that are a list of spans, one after the other: written to a file as one document, or sent
// as many (exports/send/send.h). Each has an encoder, which knows how spans look in it, and a
// SpanList, which says what stands around and between them and what its receivers take.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exports/formats/format.h"

namespace llama::exports {

// Of one selection, which must outlive it; keeps what it needs between calls. One thread.
class SpanEncoder {
 public:
  virtual ~SpanEncoder() = default;
  // Appends these spans as one element of the list, with their fields or without.
  virtual void Append(std::string& out, std::span<const Row> rows, bool fields) = 0;
};

// What a receiver says of spans that it took a request for, but not.
struct Refusal {
  uint64_t spans = 0;
  std::string reason;  // "" where it gives none
};

struct SpanList {
  std::string_view prefix = "";
  std::string_view separator = "";
  std::string_view suffix = "";
  std::unique_ptr<SpanEncoder> (*new_encoder)(const Selection&) = nullptr;
  size_t element_spans = 1;        // at most so many in one element
  uint64_t max_element_bytes = 0;  // an element of more loses its fields; 0: no such limit

  // For sending. No content type: it can't be sent.
  std::string_view content_type = "";
  std::string_view path = "";  // where a receiver takes them, if its URL does not say
  size_t max_request_spans = 0;
  size_t max_request_bytes = 0;
  // Of an answer with a status of 200 to 299, given to a request of so many spans.
  Refusal (*read_answer)(std::string_view body, uint64_t spans) = nullptr;
};

// Null for formats that are no such list.
const SpanList* FindSpanList(std::string_view format);

// The elements of a selection, in order: `rows` of at most element_spans, and `text`, what the
// encoder made of them, within max_element_bytes.
class ElementReader {
 public:
  ElementReader(const SpanList& list, const Selection& selection, const ExportOptions& options);

  bool Next();  // false: there are no more
  std::span<const Row> rows() const { return rows_; }
  const std::string& text() const { return text_; }
  // Spans that were so large that they had to go without their fields.
  uint64_t without_fields() const { return without_fields_; }

 private:
  const SpanList& list_;
  const Selection& selection_;
  const ExportOptions& options_;
  const std::unique_ptr<SpanEncoder> encoder_;
  size_t next_ = 0;
  std::span<const Row> rows_;
  std::string text_;
  uint64_t without_fields_ = 0;
};

ExportCounts WriteSpanList(const SpanList& list, const Selection& selection,
                           const ExportOptions& options, Output& out);

}  // namespace llama::exports
