// CSV as RFC 4180 has it: a header line, a span a line, lines end with CR LF. What is not there is
// an empty field; an empty text is a quoted one. A text that a spreadsheet would take for a formula
// has an apostrophe before it, which spreadsheets take for the mark of a text.
#include <algorithm>

#include "base/text/format.h"
#include "exports/formats/formats.h"
#include "exports/io/json_writer.h"
#include "exports/spans/flat_spans.h"
#include "trace/span.h"

namespace llama::exports {
namespace {

bool NeedsQuotes(std::string_view text) {
  if (text.empty()) return true;
  // Some readers drop blanks at the ends of a bare field.
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  return blank(text.front()) || blank(text.back()) ||
         text.find_first_of(",\"\r\n") != std::string_view::npos;
}

void AppendText(std::string& out, std::string_view text) {
  const std::string_view mark = IsFormula(text) ? "'" : "";
  if (!NeedsQuotes(text)) {
    out.append(mark).append(text);
    return;
  }
  out.append("\"").append(mark);
  for (size_t at = 0; at < text.size();) {
    const size_t quote = std::min(text.find('"', at), text.size() - 1) + 1;
    out += text.substr(at, quote - at);
    if (text[quote - 1] == '"') out.push_back('"');
    at = quote;
  }
  out.push_back('"');
}

class CsvEncoder {
 public:
  CsvEncoder(const Selection& selection, bool fields) : spans_(selection, fields) {}

  void AppendHeader(std::string& out) const {
    for (const std::string_view name : kFlatNames) out.append(name).push_back(',');
    for (const FlatSpans::Field& field : spans_.fields()) {
      AppendText(out, field.column);
      out.push_back(',');
    }
    EndLine(out);
  }

  void AppendRow(std::string& out, Row row) {
    const traces::Columns& columns = spans_.columns();
    AppendText(out, spans_.Build(row));
    out.push_back(',');
    AppendHex(out, columns.traces()[columns.trace()[row]]);
    out.push_back(',');
    AppendHex(out, columns.span_id()[row]);
    out.push_back(',');
    if (columns.parent_id()[row] != 0) AppendHex(out, columns.parent_id()[row]);
    out.push_back(',');
    AppendText(out, spans_.Name(row));
    out.push_back(',');
    AppendText(out, spans_.Path(row));
    out.push_back(',');
    AppendInt(out, columns.depth()[row]);
    out.push_back(',');
    out += trace::FormatTime(columns.start_ns()[row]);
    for (const int64_t ns : {columns.start_ns()[row], columns.duration_ns()[row],
                             columns.self_ns()[row], columns.raw_start_ns(row)}) {
      out.push_back(',');
      AppendInt(out, ns);
    }
    out.push_back(',');
    AppendFieldsOf(out, row);
    EndLine(out);
  }

 private:
  void AppendFieldsOf(std::string& out, Row row) {
    spans_.ValuesOf(row, values_);
    uint32_t column = 0;
    for (const auto& [at, value] : values_) {
      out.append(at - column, ',');
      column = at + 1;
      AppendCell(out, value);
      out.push_back(',');
    }
    out.append(spans_.fields().size() - column, ',');
  }

  void AppendCell(std::string& out, traces::Value value) const {
    if (value.kind == traces::Kind::kNull) return;
    if (value.kind == traces::Kind::kString || value.kind == traces::Kind::kJson) {
      AppendText(out, spans_.text(value.as_string()));
    } else {
      AppendValue(out, spans_.columns(), value);
    }
  }

  // Each field has a comma after it.
  static void EndLine(std::string& out) {
    out.pop_back();
    out += "\r\n";
  }

  FlatSpans spans_;
  FlatSpans::Values values_;
};

}  // namespace

ExportCounts WriteCsv(const Selection& selection, const ExportOptions& options, Output& out) {
  ExportCounts counts;
  CsvEncoder encoder(selection, options.fields);
  encoder.AppendHeader(out.text());
  if (!out.Keep()) return counts;
  for (const Row row : selection.rows()) {
    encoder.AppendRow(out.text(), row);
    if (!out.Keep()) break;
    ++counts.spans;
  }
  return counts;
}

}  // namespace llama::exports
