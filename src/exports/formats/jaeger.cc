// What Jaeger's UI reads ("JSON File"), and what its query API answers with: traces, each with its
// spans and the processes that they ran in. Times are whole microseconds.
#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/text/json.h"
#include "exports/formats/formats.h"
#include "exports/io/json_writer.h"
#include "exports/spans/services.h"
#include "trace/names.h"

namespace llama::exports {
namespace {

constexpr std::string_view kJaegerTail = "\n]}\n";

// The processes of one trace: the client, and a worker an id. Their JSON grows as they are met.
class Processes {
 public:
  Processes() { text_ = R"("p1":{"serviceName":"llama","tags":[]})"; }

  size_t Client() const { return 1; }
  size_t Worker(std::string_view id) {
    const auto [entry, added] = workers_.try_emplace(id, workers_.size() + 2);
    if (!added) return entry->second;
    text_ += ",\"p";
    AppendInt(text_, entry->second);
    text_.append(R"(":{"serviceName":")").append(kWorkerService).append(R"(","tags":[)");
    if (!id.empty()) {
      text_ += R"({"key":"worker_id","type":"string","value":)";
      AppendJsonString(text_, id);
      text_ += '}';
    }
    text_ += "]}";
    return entry->second;
  }
  const std::string& text() const { return text_; }

 private:
  std::unordered_map<std::string_view, size_t> workers_;  // the ids are the columns'
  std::string text_;
};

class JaegerWriter {
 public:
  JaegerWriter(const Selection& selection, const ExportOptions& options, Output& out)
      : selection_(selection),
        columns_(selection.columns()),
        options_(options),
        out_(out),
        services_(columns_),
        keys_(columns_, {"span.kind"}) {}

  ExportCounts Run() {
    out_.text() += "{\"data\":[";
    if (!out_.Keep(kJaegerTail.size())) return {};
    bool first = true;
    for (const SelectedTrace& trace : selection_.traces()) {
      if (!WriteTrace(trace, first)) break;
      first = false;
    }
    out_.text() += kJaegerTail;
    return std::move(counts_);
  }

 private:
  // A trace begins together with its first span: none is without.
  bool WriteTrace(const SelectedTrace& trace, bool first) {
    Processes processes;
    std::string& text = out_.text();
    text += first ? "\n"
                    R"({"traceID":")"
                  : ",\n"
                    R"({"traceID":")";
    AppendHex(text, columns_.traces()[trace.trace]);
    text += R"(","spans":[)";
    bool any = false;
    bool all = true;
    size_t named = processes.text().size();
    for (const Row row : selection_.rows_of(trace)) {
      text += any ? ",\n" : "\n";
      AppendSpan(text, row, processes);
      all = out_.Keep(processes.text().size() + kTraceTail.size() + kJaegerTail.size() + 2);
      if (!all) break;  // with what it added to the processes
      named = processes.text().size();
      any = true;
      ++counts_.spans;
    }
    if (!any) return false;
    text.append(kTraceTail).append(processes.text(), 0, named).append("}}");
    return all && out_.Keep(kJaegerTail.size());
  }

  void AppendSpan(std::string& text, Row row, Processes& processes) {
    text += R"({"traceID":")";
    AppendHex(text, columns_.traces()[columns_.trace()[row]]);
    text += R"(","spanID":")";
    AppendHex(text, columns_.span_id()[row]);
    text += R"(","operationName":)";
    AppendJsonString(text, columns_.text(columns_.name()[row]));
    text += R"(,"references":[)";
    if (columns_.parent_id()[row] != 0) {
      text += R"({"refType":"CHILD_OF","traceID":")";
      AppendHex(text, columns_.traces()[columns_.trace()[row]]);
      text += R"(","spanID":")";
      AppendHex(text, columns_.parent_id()[row]);
      text += R"("})";
    }
    // Both ends are rounded the same way, so that what nested still does.
    const int64_t start_us = std::max<int64_t>(0, columns_.start_ns()[row] / 1000);
    const int64_t end_us = std::max<int64_t>(0, columns_.end_ns(row) / 1000);
    text += R"(],"startTime":)";
    AppendInt(text, start_us);
    text += R"(,"duration":)";
    AppendInt(text, end_us - start_us);
    text += R"(,"tags":[)";
    AppendTags(text, row);
    text += R"(],"logs":[],"processID":"p)";
    AppendInt(text, services_.InWorker(row) ? processes.Worker(services_.WorkerId(row))
                                            : processes.Client());
    text += R"("})";
  }

  void AppendTags(std::string& text, Row row) {
    const bool client = columns_.text(columns_.name()[row]) == trace::span::kInvoke;
    bool any = client || services_.IsWorker(row);
    if (any) {
      text += R"({"key":"span.kind","type":"string","value":")";
      text += client ? R"(client"})" : R"(server"})";
    }
    if (!options_.fields) return;
    for (const traces::FieldId id : columns_.fields_of(row)) {
      const auto value = columns_.field(id).At(row);
      if (!value) continue;
      text += any ? R"(,{"key":)" : R"({"key":)";
      any = true;
      text += keys_.Name(id);
      AppendTagValue(text, *value);
      text += '}';
    }
  }

  void AppendTagValue(std::string& text, traces::Value value) {
    switch (value.kind) {
      case traces::Kind::kBool:
        text += R"(,"type":"bool","value":)";
        break;
      case traces::Kind::kInt:
        text += R"(,"type":"int64","value":)";
        break;
      case traces::Kind::kDouble:
        text += R"(,"type":"float64","value":)";
        break;
      case traces::Kind::kString:
        text += R"(,"type":"string","value":)";
        break;
      case traces::Kind::kNull:
      case traces::Kind::kJson:
        text += R"(,"type":"string","value":)";
        json_.clear();
        AppendValue(json_, columns_, value);
        AppendJsonString(text, json_);
        return;
    }
    AppendValue(text, columns_, value);
  }

  static constexpr std::string_view kTraceTail = "\n],\"warnings\":null,\"processes\":{";

  const Selection& selection_;
  const traces::Columns& columns_;
  const ExportOptions& options_;
  Output& out_;
  const Services services_;
  const FieldKeys keys_;
  std::string json_;
  ExportCounts counts_;
};

}  // namespace

ExportCounts WriteJaeger(const Selection& selection, const ExportOptions& options, Output& out) {
  return JaegerWriter(selection, options, out).Run();
}

}  // namespace llama::exports
