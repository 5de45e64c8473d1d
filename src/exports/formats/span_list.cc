#include "exports/formats/span_list.h"

#include <algorithm>

#include "base/text/format.h"
#include "exports/formats/encoders.h"

namespace llama::exports {

const SpanList* FindSpanList(std::string_view format) {
  if (format == "otlp") return &OtlpList();
  if (format == "otlp-json") return &OtlpJsonList();
  if (format == "zipkin") return &ZipkinList();
  if (format == "honeycomb") return &HoneycombList();
  if (format == "xray") return &XrayList();
  return nullptr;
}

ElementReader::ElementReader(const SpanList& list, const Selection& selection,
                             const ExportOptions& options)
    : list_(list),
      selection_(selection),
      options_(options),
      encoder_(list.new_encoder(selection)) {}

bool ElementReader::Next() {
  const auto rows = selection_.rows();
  if (next_ == rows.size()) return false;
  rows_ = rows.subspan(next_, std::min(list_.element_spans, rows.size() - next_));
  next_ += rows_.size();
  text_.clear();
  encoder_->Append(text_, rows_, options_.fields);
  if (options_.fields && list_.max_element_bytes > 0 && text_.size() > list_.max_element_bytes) {
    text_.clear();
    encoder_->Append(text_, rows_, false);
    without_fields_ += rows_.size();
  }
  return true;
}

ExportCounts WriteSpanList(const SpanList& list, const Selection& selection,
                           const ExportOptions& options, Output& out) {
  ExportCounts counts;
  ElementReader elements(list, selection, options);
  out.text() += list.prefix;
  if (!out.Keep(list.suffix.size())) return counts;
  for (bool first = true; elements.Next(); first = false) {
    if (!first) out.text() += list.separator;
    out.text() += elements.text();
    if (!out.Keep(list.suffix.size())) break;
    counts.spans += elements.rows().size();
  }
  out.text() += list.suffix;
  if (elements.without_fields() > 0) {
    counts.warnings.push_back(FormatCount(elements.without_fields()) +
                              " spans are larger than the format allows and go without fields");
  }
  return counts;
}

}  // namespace llama::exports
