#include "report/report.h"

#include <algorithm>

#include "analysis/path/weighted_time.h"
#include "base/text/json.h"
#include "report/analysis_json.h"
#include "trace/names.h"

namespace llama::report {
namespace {

constexpr size_t kPathLinks = 12;
constexpr size_t kWeightedUnits = 10;
constexpr size_t kShortFindings = 3;

void AddLine(std::string& text, uint64_t count, std::string_view one, std::string_view many) {
  if (count == 0) return;
  if (!text.empty()) text += "; ";
  text += Plural(count, one, many);
}

// What the daemon could not write, by the builds' roots.
uint64_t LostSpans(const traces::Columns& trace) {
  uint64_t lost = 0;
  trace.field(trace::field::kSpansLost).ForEach([&](traces::Row, traces::Value value) {
    if (value.kind == traces::Kind::kInt) lost += static_cast<uint64_t>(value.as_int());
  });
  return lost;
}

// Nothing if all was read.
std::string Losses(const traces::Columns& trace) {
  const traces::LoadReport& load = trace.report();
  std::string text;
  AddLine(text, LostSpans(trace), "span was lost, since the disk was full",
          "spans were lost, since the disk was full");
  AddLine(text, load.malformed, "line is no span", "lines are no spans");
  AddLine(text, load.duplicates, "span came twice", "spans came twice");
  AddLine(text, load.orphans, "span's parent is missing", "spans' parents are missing");
  AddLine(text, load.cyclic, "span is its own ancestor", "spans are their own ancestors");
  AddLine(text, load.dropped_fields, "value of too many fields left out",
          "values of too many fields left out");
  AddLine(text, load.truncated, "file is broken off or damaged, so figures may lack some compiles",
          "files are broken off or damaged, so figures may lack some compiles");
  return text;
}

void WriteReading(const traces::Columns& trace, bool always, TextWriter& out) {
  const traces::LoadReport& load = trace.report();
  const std::string losses = Losses(trace);
  if (losses.empty() && !always) return;
  out.Heading("what was read");
  std::string read =
      Plural(trace.size(), "span", "spans") + " from " + Plural(load.files, "file", "files");
  if (load.late > 0) read += ", " + FormatCount(load.late) + " after their trace's root";
  out.Paragraph(read + (losses.empty() ? "" : "; but:"));
  if (!losses.empty()) out.Paragraph(losses);
  for (const std::string& example : load.examples) {
    out.Raw("    " + CutTo(Printable(example), out.columns() - 4));
  }
}

// What an analysis formats itself begins with its heading.
void WriteBlock(const std::string& text, TextWriter& out) {
  if (text.empty()) return;
  const size_t end = text.find('\n');
  out.Heading(std::string_view(text).substr(0, end));
  if (end != std::string::npos) out.Block(std::string_view(text).substr(end + 1));
}

void WriteSection(const traces::Columns& trace, const Report& report, Section section, bool asked,
                  TextWriter& out) {
  const analysis::Analysis& analysis = report.analysis;
  switch (section) {
    case Section::kFindings:
      return WriteBlock(analysis::FormatFindings(analysis.findings, out.columns()), out);
    case Section::kBounding:
      return WriteBlock(analysis::FormatBounds(analysis.bounds, out.columns()), out);
    case Section::kOverview:
      out.Heading("overview");
      return analysis::WriteOverview(report.summary, out);
    case Section::kByPhase:
      return analysis::WritePhases(report.summary, out);
    case Section::kSlowest:
      return analysis::WriteSlowest(report.summary, out);
    case Section::kPath:
      return WriteBlock(analysis::FormatCriticalPath(*analysis.names, analysis.units, analysis.path,
                                                     kPathLinks, out.columns()),
                        out);
    case Section::kWeighted:
      return WriteBlock(
          analysis::FormatWeighted(*analysis.names, analysis.units, analysis.weighted_ns,
                                   kWeightedUnits, out.columns()),
          out);
    case Section::kParallelism:
      return WriteBlock(analysis::FormatParallelism(analysis.parallelism, out.columns()), out);
    case Section::kUse:
      return analysis::WriteUse(report.use, out);
    case Section::kWorkers:
      return analysis::WriteWorkers(trace, report.workers, out);
    case Section::kCost:
      return analysis::WriteCost(report.summary, out);
    case Section::kLocal:
      return analysis::WriteReasons(report.summary, out);
    case Section::kReading:
      return WriteReading(trace, asked, out);
  }
}

}  // namespace

Report MakeReport(const traces::Columns& trace, analysis::GraphSources graph) {
  Report report;
  analysis::AnalysisOptions options;
  options.graph = std::move(graph);
  report.analysis = analysis::Analyse(trace, options);
  report.summary = analysis::Summarise(trace, *report.analysis.names);
  report.use = analysis::MeasureUse(trace, report.analysis.units, report.analysis.slots);
  report.workers = analysis::FindWorkers(trace);
  return report;
}

Result<std::vector<Section>> ParseSections(std::string_view names) {
  std::vector<Section> sections;
  while (true) {
    const size_t comma = std::min(names.find(','), names.size());
    const std::string_view name = names.substr(0, comma);
    const auto it = std::find(kSectionNames.begin(), kSectionNames.end(), name);
    if (it == kSectionNames.end()) {
      std::string what = "no section '" + Printable(name) + "'; there are";
      for (const std::string_view known : kSectionNames) what.append(" ").append(known);
      return Error{Code::kInvalid, what};
    }
    sections.push_back(static_cast<Section>(it - kSectionNames.begin()));
    if (comma == names.size()) return sections;
    names.remove_prefix(comma + 1);
  }
}

std::string FormatReport(const traces::Columns& trace, const Report& report, const TextStyle& style,
                         const std::vector<Section>& sections) {
  TextWriter out(style);
  analysis::WriteHeading(report.summary, out);
  analysis::WriteOutcome(report.summary, out);
  analysis::WriteExcerpt(report.summary, out);
  if (sections.empty() && analysis::HadNothingToDo(report.summary)) return out.Take();
  const auto write = [&](Section section) {
    TextWriter part(style);
    WriteSection(trace, report, section, !sections.empty(), part);
    if (!part.text().empty()) out.Block("\n" + part.Take());
  };
  if (sections.empty()) {
    for (size_t i = 0; i < kSectionNames.size(); ++i) write(static_cast<Section>(i));
  } else {
    for (const Section section : sections) write(section);
  }
  return out.Take();
}

std::string FormatShort(const Report& report, const TextStyle& style) {
  const analysis::Summary& summary = report.summary;
  TextWriter out(style);
  if (analysis::HadNothingToDo(summary)) {
    analysis::WriteOutcome(summary, out);
    return out.Take();
  }
  analysis::WriteHeading(summary, out);
  analysis::WriteOverview(summary, out);
  std::vector<analysis::Finding> first = report.analysis.findings;
  if (first.size() > kShortFindings) first.resize(kShortFindings);
  // Who is told what is wrong with the code does not ask what was slow.
  if (!first.empty() && !summary.failure) {
    out.Block("\n" + analysis::FormatFindings(first, style.columns));
  }
  out.Raw("");
  analysis::WriteOutcome(summary, out);
  out.Raw("More: llama report " + Printable(summary.build_id));
  return out.Take();
}

std::string FormatReportJson(const traces::Columns& trace, const Report& report) {
  JsonWriter json;
  json.BeginObject();
  analysis::AddJson(report.summary, json);
  WriteAnalysis(json, trace, report.analysis);
  analysis::AddUseJson(report.use, json);
  analysis::AddWorkersJson(trace, report.workers, json);
  const traces::LoadReport& load = trace.report();
  json.Key("load").BeginObject();
  const auto count = [&](std::string_view key, uint64_t value) {
    json.Key(key).Int(static_cast<int64_t>(value));
  };
  count("files", load.files);
  count("cached_files", load.cached_files);
  count("lines", load.lines);
  count("malformed", load.malformed);
  count("too_long", load.too_long);
  count("duplicates", load.duplicates);
  count("late", load.late);
  count("orphans", load.orphans);
  count("cyclic", load.cyclic);
  count("dropped_fields", load.dropped_fields);
  count("truncated", load.truncated);
  count("lost_spans", LostSpans(trace));
  json.Key("examples").BeginArray();
  for (const std::string& example : load.examples) json.String(example);
  json.EndArray().EndObject();
  json.EndObject();
  return json.Take() + "\n";
}

}  // namespace llama::report
