// The trace again, as docs/trace_format.md has it: a span a line, with the time that was recorded,
// so that what is read from it is what was exported.
#include <cmath>

#include "base/text/json.h"
#include "exports/formats/formats.h"
#include "exports/io/json_writer.h"
#include "trace/span.h"

namespace llama::exports {
namespace {

class NdjsonEncoder {
 public:
  NdjsonEncoder(const Selection& selection, const ExportOptions& options)
      : columns_(selection.columns()), keys_(columns_), options_(options) {}

  void AppendLine(std::string& out, Row row) const {
    out += R"({"trace_id":")";
    AppendHex(out, columns_.traces()[columns_.trace()[row]]);
    out += R"(","span_id":")";
    AppendHex(out, columns_.span_id()[row]);
    out += R"(","parent_id":")";
    if (columns_.parent_id()[row] != 0) AppendHex(out, columns_.parent_id()[row]);
    out += R"(","name":)";
    AppendJsonString(out, columns_.text(columns_.name()[row]));
    out += R"(,"start":")";
    out += trace::FormatTime(options_.corrected_clocks ? columns_.start_ns()[row]
                                                       : columns_.raw_start_ns(row));
    out += R"(","duration":)";
    AppendInt(out, columns_.duration_ns()[row]);
    out += R"(,"fields":{)";
    if (options_.fields) AppendFieldsOf(out, row);
    out += "}}\n";
  }

 private:
  void AppendFieldsOf(std::string& out, Row row) const {
    bool first = true;
    for (const traces::FieldId id : columns_.fields_of(row)) {
      const auto value = columns_.field(id).At(row);
      if (!value) continue;  // of a columnar file that could not be decoded
      if (!first) out.push_back(',');
      first = false;
      out += keys_[id];
      AppendValue(out, columns_, *value);
      // So that it is read as what it was.
      if (value->kind == traces::Kind::kDouble && IsWrittenWhole(value->as_double())) out += ".0";
    }
  }
  static bool IsWrittenWhole(double value) {
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, value);
    return std::isfinite(value) &&
           std::string_view(digits, static_cast<size_t>(end.ptr - digits)).find_first_of(".e") ==
               std::string_view::npos;
  }

  const traces::Columns& columns_;
  const FieldKeys keys_;
  const ExportOptions& options_;
};

}  // namespace

ExportCounts WriteNdjson(const Selection& selection, const ExportOptions& options, Output& out) {
  ExportCounts counts;
  const NdjsonEncoder encoder(selection, options);
  for (const Row row : selection.rows()) {
    encoder.AppendLine(out.text(), row);
    if (!out.Keep()) break;
    ++counts.spans;
  }
  return counts;
}

}  // namespace llama::exports
