#include "llama/explain/past_compile.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <utility>

#include "base/file.h"
#include "base/text/format.h"
#include "base/text/json.h"
#include "llama/explain/advice.h"
#include "trace/names.h"
#include "trace/span.h"

namespace llama::app {
namespace {

using traces::Columns;
using traces::Row;

std::string TextOf(const Columns& trace, Row row, std::string_view field) {
  const auto id = trace.field(field).StringAt(row);
  return id ? std::string(trace.text(*id)) : std::string();
}

// Without "." and "..", as far as that can be said of names alone.
std::string Absolute(const std::string& cwd, const std::string& path) {
  return std::filesystem::path(JoinPath(cwd, path)).lexically_normal().string();
}

bool EndsWithPath(std::string_view path, std::string_view end) {
  return path.ends_with(end) &&
         (path.size() == end.size() || path[path.size() - end.size() - 1] == '/');
}

// A figure of the spans of this name below the compile, added up.
struct Figure {
  std::string_view span;
  std::string_view field;
  std::string_view key;    // of JSON
  std::string_view label;  // of the text
  bool is_bytes = false;
};

constexpr auto kFigures = std::to_array<Figure>({
    {trace::span::kScan, trace::field::kFiles, "input_files", "inputs", false},
    {trace::span::kSync, trace::field::kUploadedObjects, "uploaded_objects", "in objects", false},
    {trace::span::kSync, trace::field::kUploadedBytes, "uploaded_bytes", "uploaded", true},
    {trace::span::kInvoke, trace::field::kPayloadBytes, "payload_bytes", "with the job", true},
    {trace::span::kInvoke, trace::field::kAnswerBytes, "answer_bytes", "answer", true},
    {trace::span::kVerify, trace::field::kLookups, "lookups", "lookups", false},
    {trace::span::kWrite, trace::field::kOutputFiles, "output_files", "output files", false},
    {trace::span::kWrite, trace::field::kOutputBytes, "output_bytes", "outputs", true},
});

std::optional<int64_t> Sum(const Columns& trace, Row compile, const Figure& figure) {
  std::optional<int64_t> sum;
  const traces::FieldColumn& column = trace.field(figure.field);
  for (const Row child : trace.children(compile)) {
    if (trace.text(trace.name()[child]) != figure.span) continue;
    if (const auto value = column.IntAt(child)) sum = sum.value_or(0) + *value;
  }
  return sum;
}

std::string RungReason(const Columns& trace, Row compile) {
  for (const Row child : trace.children(compile)) {
    std::string reason = TextOf(trace, child, trace::field::kRungReason);
    if (!reason.empty()) return reason;
  }
  return {};
}

bool IsRemote(const Columns& trace, Row row) {
  return trace.field(trace::field::kRemote).TrueAt(row);
}

std::string_view BuildOf(const Columns& trace, Row row) {
  return trace.text(trace.builds()[trace.build()[row]].id);
}

}  // namespace

std::vector<Row> FindCompiles(const Columns& trace, const std::string& name,
                              const std::string& cwd) {
  const std::string meant = Absolute(cwd, name);
  std::vector<Row> exact;
  std::vector<Row> alike;
  for (const Row row : trace.rows_named(trace::span::kLlamacc)) {
    const std::string folder = TextOf(trace, row, trace::field::kCwd);
    for (const std::string_view field : {trace::field::kObject, trace::field::kSource}) {
      const std::string path = TextOf(trace, row, field);
      if (path.empty()) continue;
      const std::string full = Absolute(folder, path);
      const bool is_it = full == meant;
      if (!is_it && (name.starts_with('/') || !EndsWithPath(full, name))) continue;
      (is_it ? exact : alike).push_back(row);
      break;
    }
  }
  std::vector<Row>& found = exact.empty() ? alike : exact;
  std::stable_sort(found.begin(), found.end(),
                   [&](Row a, Row b) { return trace.start_ns()[a] < trace.start_ns()[b]; });
  return std::move(found);
}

std::string FormatPastCompile(const Columns& trace, Row row, const TextStyle& style) {
  TextWriter out(style);
  const auto text = [&](std::string_view field) { return Printable(TextOf(trace, row, field)); };
  const auto line = [&](std::string_view label, const std::string& value) {
    if (!value.empty()) out.Line(label, value);
  };
  out.Heading((IsRemote(trace, row) ? "Ran remotely: " : "Ran here: ") +
              text(trace::field::kSource));
  if (!IsRemote(trace, row)) {
    const std::string reason = text(trace::field::kReason);
    const std::string detail = text(trace::field::kReasonDetail);
    const Advice advice = AdviceOn(reason);
    line("reason", detail.empty() ? reason : reason + ": " + detail);
    out.Line("", advice.meaning);
    line("to change it", std::string(advice.remedy));
  }
  line("build", Printable(BuildOf(trace, row)));
  line("at", trace::FormatTime(trace.start_ns()[row]));
  line("took", FormatDuration(trace.duration_ns()[row]));
  line("object", text(trace::field::kObject));
  line("depfile", text(trace::field::kDepfile));
  line("in", text(trace::field::kCwd));
  line("compiler", text(trace::field::kCompiler));
  line("flags", text(trace::field::kFlags));
  if (const auto status = trace.field(trace::field::kStatus).IntAt(row)) {
    line("status", std::to_string(*status));
  }
  line("found by", text(trace::field::kRung));
  line("not cheaper", Printable(RungReason(trace, row)));
  for (const Figure& figure : kFigures) {
    const auto sum = Sum(trace, row, figure);
    if (!sum) continue;
    line(figure.label, figure.is_bytes
                           ? FormatBytes(*sum)
                           : FormatCount(static_cast<uint64_t>(std::max<int64_t>(*sum, 0))));
  }
  std::string phases;
  for (const Row child : trace.children(row)) {
    phases.append(phases.empty() ? "" : ", ").append(trace.text(trace.name()[child]));
    phases.append(" ").append(FormatDuration(trace.duration_ns()[child]));
  }
  line("phases", Printable(phases));
  return out.Take();
}

std::string PastCompileJson(const Columns& trace, Row row) {
  JsonWriter json;
  json.BeginObject().Key("remote").Bool(IsRemote(trace, row));
  const std::string reason = TextOf(trace, row, trace::field::kReason);
  json.Key("reasons").BeginArray();
  if (!IsRemote(trace, row)) {
    const Advice advice = AdviceOn(reason);
    json.BeginObject().Key("reason").String(reason);
    json.Key("detail").String(TextOf(trace, row, trace::field::kReasonDetail));
    json.Key("meaning").String(advice.meaning).Key("remedy").String(advice.remedy).EndObject();
  }
  json.EndArray().Key("build").String(BuildOf(trace, row));
  json.Key("start").String(trace::FormatTime(trace.start_ns()[row]));
  json.Key("duration_ns").Int(trace.duration_ns()[row]);
  for (const std::string_view field :
       {trace::field::kSource, trace::field::kObject, trace::field::kDepfile, trace::field::kCwd,
        trace::field::kCompiler, trace::field::kFlags, trace::field::kRung}) {
    json.Key(field).String(TextOf(trace, row, field));
  }
  json.Key("rung_reason").String(RungReason(trace, row));
  if (const auto status = trace.field(trace::field::kStatus).IntAt(row)) {
    json.Key("status").Int(*status);
  }
  for (const Figure& figure : kFigures) {
    if (const auto sum = Sum(trace, row, figure)) json.Key(figure.key).Int(*sum);
  }
  json.Key("phases").BeginArray();
  for (const Row child : trace.children(row)) {
    json.BeginObject().Key("name").String(trace.text(trace.name()[child]));
    json.Key("duration_ns").Int(trace.duration_ns()[child]).EndObject();
  }
  json.EndArray().EndObject();
  return json.Take();
}

}  // namespace llama::app
